from __future__ import annotations

import sys
from pathlib import Path

# what starts and kills real sweeps is there
sys.path.insert(0, str(Path(__file__).parents[1] / "sweeps"))
