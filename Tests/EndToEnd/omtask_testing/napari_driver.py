"""Does in napari-workflow-tasks what a person does, and prints what came of it as one line of JSON.

    python napari_driver.py MANIFEST IMAGE TASK CHANGES

Needs napari, the plug-in and Qt's platform `offscreen`. A change to null is left out.
"""

import json
import sys
import time

from napari.components import ViewerModel
from npe2 import PluginManager
from qtpy.QtWidgets import QApplication, QFileDialog, QLineEdit

PluginManager.instance().discover()
application = QApplication([])

from napari_workflow_tasks._widget import TasksQWidget  # noqa: E402

manifest, image, task, changes = *sys.argv[1:4], json.loads(sys.argv[4])
QFileDialog.getOpenFileName = lambda *_, **__: (manifest, "")
viewer = ViewerModel()
viewer.open(image, plugin="napari-ome-zarr")
widget = TasksQWidget(viewer)
widget._update_combo_boxes()
widget._select_workflow_file()
tasks = widget.workflow_combo_box
tasks.setCurrentText(task)
widget._add_task()
fields = widget.task_manager.get_task(task)["widget_dict"]
seen = {
    "offered": [tasks.itemText(number) for number in range(tasks.count())],
    "form": {
        key: one.text() if isinstance(one, QLineEdit) else one.isChecked()
        for key, one in fields.items()
    },
    "error": None,
}
for key, new in changes.items():
    if new is not None:
        fields[key].setText(new) if isinstance(fields[key], QLineEdit) else fields[key].setChecked(new)
try:
    widget._execute_task(task)
except Exception as error:
    seen["error"] = f"{type(error).__name__}: {error}"
else:
    end = time.monotonic() + 60
    while not widget.exec_btn_dict[task].isEnabled() and time.monotonic() < end:
        application.processEvents()
        time.sleep(0.02)
seen["layers"] = [layer.name for layer in viewer.layers]
print(json.dumps(seen), flush=True)
