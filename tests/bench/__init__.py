"""Speed and memory, as ratios to something measured in the same run on the same machine.

`python -m tests.bench` runs all of them and prints a table; nothing is asserted. Figures are quoted as ratios: absolute
ones say more about the machine than about the program, and stand beside a calibration (a fixed loop of SHA-256) so that
two runs can be compared.
"""
