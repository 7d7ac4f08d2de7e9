"""The toy as a process."""

from chaos.toy.app import build
from chaos.toy.settings import ToySettings

from chassis.process import main

if __name__ == "__main__":
    main(build, ToySettings)
