"""Why a job ran, did not run, waits or will run: the story `jobsctl why` tells. One file per part of it.

`facts` reads what is known, `moment` understands the time that was asked about; the others are pure: facts in,
sentences out. Used by the command line (`why`, `describe`) and the page of a job.
"""
