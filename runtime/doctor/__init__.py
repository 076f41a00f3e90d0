"""`filagent doctor`: looks at an installation and says, with evidence, what is good and what to do.

`local_install` has the ten checks of a local model's installation; what they look at has one file each: `machine`
(processor, memory, model file), `model_host`, `served` (the server over HTTP), `asked` (questions), `sockets` (what
leaves loopback), `home` (settings, permissions, guards, the log). Nothing here prints: `runtime.doctor_command` does.
"""
