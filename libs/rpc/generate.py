"""Generate the gRPC stubs from `proto/`; with `--check`, say whether the committed ones are up to date.

Usage: python libs/rpc/generate.py [--check]
"""

import filecmp
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "proto"
STUBS = ROOT / "libs" / "rpc" / "src"


def generate(target: Path) -> list[Path]:
    """Write the stubs of every proto file below `target`; return their paths relative to it."""
    protos = sorted(str(file.relative_to(SOURCE)) for file in SOURCE.rglob("*.proto"))
    outputs = [f"--{kind}_out={target}" for kind in ("python", "mypy", "grpc_python", "mypy_grpc")]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{SOURCE}", *outputs, *protos]
    # The mypy plug-ins are programs beside the interpreter, which need not be on the caller's path.
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    subprocess.run(command, check=True, env=environment, capture_output=True)  # noqa: S603 - our own arguments
    return sorted(file.relative_to(target) for file in target.rglob("*_pb2*.py*"))


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        wanted = generate(fresh)
        present = sorted(
            file.relative_to(STUBS) for file in STUBS.rglob("*_pb2*.py*") if "__pycache__" not in file.parts
        )
        stale = [
            file
            for file in wanted
            if not (STUBS / file).exists() or not filecmp.cmp(fresh / file, STUBS / file, shallow=False)
        ]
        left_over = [file for file in present if file not in wanted]
        if "--check" in sys.argv[1:]:
            for file in (*stale, *left_over):
                print(f"libs/rpc/src/{file}: not what proto/ says; run `make proto`")
            return 1 if stale or left_over else 0
        for file in stale:
            (STUBS / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(fresh / file, STUBS / file)
        for file in left_over:
            (STUBS / file).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
