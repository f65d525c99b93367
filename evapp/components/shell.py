"""The frame of every page: a bar for the thumb on phones, a rail at the side from 1024 px."""

import reflex as rx

from evapp.components.arrival import arriving
from evapp.components.brand import brand
from evapp.components.buttons import icon, text_link
from evapp.components.meter import rail
from evapp.components.native import NativeLink
from evapp.components.text import Content, given
from evapp.texts import at, later, t

DESTINATIONS = (
    (later("Home"), "house", "/dashboard"),
    (later("Charge"), "plug-zap", "/charge"),
    (later("History"), "history", "/history"),
    (later("Wallet"), "wallet", "/wallet"),
    (later("You"), "circle-user-round", "/profile"),
)
"""Word, picture and address of the five places, in the order of the thumb."""

HELP = "/help"

SLOGAN = later("Charge, and pay for the units you use.")


def shell(
    current: str,
    title: Content,
    *children: rx.Component,
    lead: Content = "",
    aside: rx.Component | None = None,
    bar: rx.Component | None = None,
) -> rx.Component:
    """A page with navigation.

    Args:
        current: the destination this page belongs to, such as "/wallet".
        title: the page's only h1.
        children: its content.
        lead: one line under the title.
        aside: at the right of the title.
        bar: a line above the navigation on every page, for the charge that is running.
    """
    navigation = navigating(
        t("Main"),
        bar,
        *(destination(t(word), picture, path, current) for word, picture, path in DESTINATIONS),
        below=text_link(t("Help"), HELP),
    )
    return framed(navigation, title, *children, lead=lead, aside=aside)


def navigating(name: str, bar: rx.Component | None, *places: rx.Component, below: rx.Component) -> rx.Component:
    """The bar for the thumb, of five places, which is a rail from 1024 px; `below` is at the foot of the rail only."""
    return rx.el.nav(
        rx.el.div(brand(), class_name="hidden lg:block px-4 pt-8 pb-9"),
        bar,
        # Fixed columns, and the height of a place: on a slow line the first are painted before the last have come.
        rx.el.ul(*places, class_name="grid grid-cols-5 min-h-14 lg:flex lg:flex-col lg:gap-1 px-1 lg:px-3"),
        rx.el.div(below, class_name="hidden lg:block order-2 mt-auto px-7 pb-6"),
        aria_label=name,
        class_name="fixed z-20 inset-x-0 bottom-0 bg-surface border-t border-line pt-1.5 "
        "pb-[max(6px,env(safe-area-inset-bottom))] min-h-[calc(3.5rem_+_7px_+_max(6px,env(safe-area-inset-bottom)))] "
        "lg:sticky lg:inset-auto lg:top-(--strip) lg:h-[calc(100dvh-var(--strip))] lg:flex lg:flex-col "
        "lg:border-t-0 lg:border-r lg:p-0",
    )


def framed(
    navigation: rx.Component,
    title: Content,
    *children: rx.Component,
    lead: Content = "",
    aside: rx.Component | None = None,
) -> rx.Component:
    """A page beside its navigation."""
    return rx.el.div(
        _skip(),
        arriving(),
        navigation,
        rx.el.div(
            rx.el.header(
                rx.el.div(
                    rx.el.h1(title, class_name="num text-page leading-8 font-semibold tracking-tight min-h-8 min-w-0"),
                    aside,
                    class_name="flex flex-wrap items-center justify-between gap-x-4",
                ),
                rx.el.p(lead, class_name="text-note text-ink-3 mt-0.5 min-h-5") if given(lead) else None,
                class_name="pt-5 lg:pt-9 pb-4",
            ),
            rx.el.main(*children, id="main", tab_index=-1, class_name="flow-root pb-32 lg:pb-16"),
            class_name="w-full min-w-0 max-w-[70rem] px-4 sm:px-6 lg:px-12",
        ),
        class_name="lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]",
    )


def plain(
    title: Content, *children: rx.Component, lead: Content = "", foot: rx.Component | None = None
) -> rx.Component:
    """A page without navigation: one narrow column, beside what the app is about from 1024 px."""
    return rx.el.div(
        _skip(),
        arriving(),
        _front(),
        rx.el.div(
            rx.el.header(brand(), class_name="py-6 sm:pt-14 lg:hidden"),
            rx.el.main(
                rx.el.h1(title, class_name="text-page leading-8 font-semibold tracking-tight"),
                rx.el.p(lead, class_name="text-ink-2 text-body mt-1.5") if given(lead) else None,
                rx.el.div(*children, class_name="mt-6"),
                id="main",
                tab_index=-1,
                class_name="pt-4 lg:pt-24",
            ),
            rx.el.footer(foot or text_link(t("Help"), HELP), class_name="mt-8 pb-10"),
            class_name="w-full max-w-[28rem] mx-auto px-4 sm:px-6",
        ),
        class_name="lg:grid lg:grid-cols-[5fr_7fr]",
    )


def alone(title: Content, *children: rx.Component) -> rx.Component:
    """A page for readers of any language, outside of every tree: the title, what it means, and a way on."""
    return rx.el.div(
        rx.el.header(brand(), class_name="py-6 sm:pt-14"),
        rx.el.main(
            rx.el.h1(title, class_name="text-page leading-8 font-semibold tracking-tight"),
            *children,
            id="main",
            class_name="pt-4",
        ),
        class_name="w-full max-w-[28rem] mx-auto px-4 sm:px-6 pb-10",
    )


def columns(
    left: rx.Component, right: rx.Component, below: rx.Component | None = None, **second: object
) -> rx.Component:
    """Two columns of 7 and 5 from 1024 px, under each other before that.

    `below` is last on a phone, and from 1024 px the end of the left column. `second` is for the right one: with
    another `key` it is another one, which comes where the first column ends instead of moving there.
    """
    return rx.el.div(
        rx.el.div(left, class_name="lg:col-span-7"),
        rx.el.div(right, class_name="lg:col-span-5 lg:row-span-2 mt-8 lg:mt-0", **second),
        rx.el.div(below, class_name="lg:col-span-7") if below is not None else None,
        class_name="lg:grid lg:grid-cols-12 lg:grid-rows-[auto_1fr] lg:gap-x-12",
    )


def _front() -> rx.Component:
    """The dial that is the sign of the app; it says nothing that the page beside it does not say."""
    return rx.el.div(
        brand(),
        rx.el.div(
            rx.el.p(t(SLOGAN), class_name="text-card leading-tight font-semibold tracking-tight max-w-[11em]"),
            rail("37.25%", ("0", "5", "10", "15", "20"), label=""),
            class_name="flex-1 grid content-end grid-rows-[auto_6rem]",
        ),
        aria_hidden="true",
        class_name="meter hidden lg:flex flex-col justify-between p-12 pb-16 "
        "lg:sticky lg:top-(--strip) lg:h-[calc(100dvh-var(--strip))]",
    )


def destination(word: str, picture: str, href: str, current: str, class_name: str = "") -> rx.Component:
    """One place of the navigation."""
    here = href == current
    return rx.el.li(
        rx.el.a(
            rx.el.span(
                icon(picture, 22),
                class_name="grid place-items-center w-full max-w-14 h-8 rounded-full lg:w-auto lg:h-auto "
                + ("bg-peacock text-on-peacock lg:bg-transparent lg:text-peacock" if here else ""),
            ),
            word,
            href=at(href),
            **({"aria_current": "page"} if here else {}),
            class_name="flex flex-col lg:flex-row items-center gap-0.5 lg:gap-3 pt-px lg:pt-0 "
            "min-h-14 lg:min-h-12 lg:px-4 rounded-field text-thumb lg:text-body "
            + ("text-ink font-semibold lg:bg-sunken" if here else "text-ink-2 hover:text-ink"),
        ),
        class_name=f"min-w-0 {class_name}",
    )


def _skip() -> rx.Component:
    return NativeLink.create(t("Skip to content"), href="#main", class_name="skip")
