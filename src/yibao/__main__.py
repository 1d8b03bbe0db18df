"""`python -m yibao` is the command line."""

from yibao.adapters.cli import main

if __name__ == "__main__":
    main(prog_name="yibao")
