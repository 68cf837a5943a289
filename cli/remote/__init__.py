"""`--server URL`: the readers' questions asked over HTTP instead of of the home's files.

`client` speaks HTTP, `reader` is `state.reads.Reader` over it, `files` a run's directory, `house` what `cli.reading`
gives to commands. Nothing here imports a command.
"""
