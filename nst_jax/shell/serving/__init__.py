"""The page of nst-serve: a server on this machine, the pictures that it is given, and the run that it watches."""
