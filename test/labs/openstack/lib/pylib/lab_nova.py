"""A Nova driver whose servers have a console and a config drive, and nothing behind them.

Nova's own fake driver keeps servers in memory. This one also writes what the config
drive would hold to `CONF.state_path/config-drives/<uuid>/`, and plays the guest on the
console: it takes release and number from the server's user-data and says the stages
of `cloudlet-bootstrap`, one each PACE seconds from the (re)start.

`CONF.state_path/guests.json` makes a guest behave otherwise, by the server's name:

    {"NAME": {"pace": 3}}                           slower
    {"NAME": {"fail": "payload-digest-differs"}}    says `failed` with that reason
    {"NAME": {"silent": true}}                      a console without one byte
    {"NAME": {"refuse": true}}                      no console, as with many drivers
    {"NAME": {"rotated": true}}                     the status has left the console's log
"""

import base64
import json
import os
import re
import time

import nova.conf
from nova.api.metadata import base as metadata
from nova.virt import configdrive
from nova.virt import fake
from oslo_log import log as logging

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)

PACE = 1
STAGES = (
    ('booted', 'platformvm'), ('found', 'vdb'), ('verified', 'vdb'),
    ('loaded', 'docker'), ('started', 'crmserver'), ('healthy', 'crmserver'),
)
# What a real console shows besides: a carriage return before each line's end,
# bytes that are no text, and what the disk's former life had to say.
NOISE = (
    '[    0.000000] Linux version 6.1.0-28-cloud-amd64\r\n'
    '\x1b[2J\x1b[01;01H\xff\xfe\x00[  OK  ] Reached target cloud-init.target\r\n'
    'cloudlet-status {"version":1,"release":"another","sequence":99,'
    '"uptime":9,"stage":"failed","detail":"of-another-release"}\r\n'
)


class LabDriver(fake.FakeDriver):

    def __init__(self, virtapi, read_only=False):
        super().__init__(virtapi, read_only)
        self.began = {}

    def spawn(self, context, instance, image_meta, injected_files, *args,
              network_info=None, **kwargs):
        super().spawn(context, instance, image_meta, injected_files, *args,
                      network_info=network_info, **kwargs)
        self.began[instance.uuid] = time.time()
        if configdrive.required_by(instance):
            self._write_drive(instance, injected_files, network_info)

    def reboot(self, context, instance, *args, **kwargs):
        super().reboot(context, instance, *args, **kwargs)
        self.began[instance.uuid] = time.time()

    def get_console_output(self, context, instance):
        wish = self._wish(instance.display_name)
        if wish.get('refuse'):
            raise NotImplementedError()
        if wish.get('silent'):
            return ''
        if wish.get('rotated'):
            return '[ 9999.000000] something else\r\n' * 100
        return NOISE + ''.join(self._said(instance, wish))

    def _said(self, instance, wish):
        text = base64.b64decode(instance.user_data or '').decode('utf-8', 'replace')
        found = {key: re.search(r"^ *CB_%s='([^']*)'" % key, text, re.MULTILINE)
                 for key in ('RELEASE', 'RELEASE_SEQUENCE')}
        if not all(found.values()):
            return
        began = self.began.get(instance.uuid)
        if began is None:
            # nova-compute was restarted, the "guest" was not.
            began = instance.launched_at.timestamp() if instance.launched_at else time.time()
        uptime = time.time() - began
        pace = wish.get('pace', PACE)
        stages = STAGES
        if wish.get('fail'):
            stages = STAGES[:2] + (('failed', wish['fail']),)
        for number, (stage, detail) in enumerate(stages):
            if uptime >= number * pace:
                yield ('\r\ncloudlet-status {"version":1,"release":"%s","sequence":%s,'
                       '"uptime":%d,"stage":"%s","detail":"%s"}\r\n' % (
                           found['RELEASE'].group(1),
                           found['RELEASE_SEQUENCE'].group(1),
                           number * pace, stage, detail))

    @staticmethod
    def _wish(name):
        try:
            with open(os.path.join(CONF.state_path, 'guests.json')) as file:
                return json.load(file).get(name, {})
        except FileNotFoundError:
            return {}

    @staticmethod
    def _write_drive(instance, injected_files, network_info):
        root = os.path.join(CONF.state_path, 'config-drives', instance.uuid)
        content = metadata.InstanceMetadata(
            instance, content=injected_files, network_info=network_info)
        for path, data in content.metadata_for_config_drive():
            target = os.path.join(root, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, 'wb') as file:
                file.write(data if isinstance(data, bytes) else data.encode())

    def destroy(self, context, instance, *args, **kwargs):
        super().destroy(context, instance, *args, **kwargs)
        self.began.pop(instance.uuid, None)
        root = os.path.join(CONF.state_path, 'config-drives', instance.uuid)
        for folder, folders, files in os.walk(root, topdown=False):
            for name in files:
                os.unlink(os.path.join(folder, name))
            os.rmdir(folder)
