import os,sys,re,time,tempfile
from pathlib import Path
from scripts.mutants import *
import scripts.mutants as M
names=[l[len("survives: "):].strip() for f in sys.argv[1:] for l in open(f) if l.startswith("survives: ")]
names=list(dict.fromkeys(names))
kept=Kept(Path("/work/mutants-kept/state"))
mods=sorted({n.split()[0] for n in names})
todo=[m for f in mods for m in mutants(f,(ROOT/f).read_text()) if m.name in names and m not in kept]
print(len(names),len(todo),flush=True)
T=["tests/money/test_figures.py","tests/unit/domain/test_prices.py","tests/money/test_dispatch.py","tests/money/test_sweeper.py"]
with tempfile.TemporaryDirectory() as n:
    home=Path(n); planting.prepare(template(home))
    alive,tried=M._hunt([(m,T) for m in todo],4,time.monotonic()+3000,kept,home,lambda tests,folder: planting.alone([*tests,"-k","not postgresql"],(*QUIET,"-x"),folder))
print("alive",len(alive)); [print("ALIVE",m.name) for m in alive]
