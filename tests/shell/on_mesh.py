"""How the program communicates that a line compiles on the devices of this process. Prints JSON."""

import json
import sys

from hydra import compose, initialize_config_dir
from on_devices import describe

from nst_jax.shell.places import conf
from nst_jax.shell.running import device, program, scales
from nst_jax.shell.running.once import always
from nst_jax.shell.settings import config as settings

if __name__ == "__main__":
    with initialize_config_dir(str(conf().resolve()), **settings.VERSION_BASE):
        config = settings.read(compose("config", overrides=sys.argv[1:]))
    device.set_up(config.device)
    job = scales.outline(config, lambda line: None, always)
    made = program.compile_program([job], most=1, share=1.0, log=print, mesh=config.device.mesh).advance
    found = describe(made.as_text(), made.memory_analysis())
    print(json.dumps({**found, "image_size": job.start.size}))
