"""``python -m distillkit`` is the command line."""

from distillkit.cli import main

if __name__ == "__main__":
    main()
