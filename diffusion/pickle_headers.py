"""Headers of .ckpt, .pt, .pth and .bin files: their tensors' names and shapes, read without running a thing.

Such files are pickles, and a pickle may call any function it names. Here it is read by a machine that knows
only the steps of building dictionaries and of describing tensors; a name outside the list below is refused,
never imported. See https://docs.python.org/3/library/pickle.html#restricting-globals.
"""

import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, NoReturn

from diffusion.errors import DiffusionError
from diffusion.tensor_files import SIZES, Header, TensorInfo

ZIP: Final = b"PK\x03\x04"
PICKLE_MARKS: Final = (ZIP, b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
LEGACY_MAGIC: Final = 0x1950A86A20F9469CFC6C
MAX_PICKLE: Final = 64_000_000
MAX_RECORDS: Final = 200_000
WRAPPERS: Final = ("state_dict", "model_state_dict", "params_ema", "params", "module", "model")
"""Keys under which training programs keep the weights, beside other things."""
CONVERT: Final = "Get it as .safetensors, or convert it to .safetensors on a machine that may run it."

_STORAGES: Final = {
    "DoubleStorage": "F64", "FloatStorage": "F32", "HalfStorage": "F16", "BFloat16Storage": "BF16",
    "LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8",
    "ByteStorage": "U8", "BoolStorage": "BOOL", "UntypedStorage": "U8",
}  # fmt: skip
_DTYPES: Final = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
}  # fmt: skip
INERT_NAMES: Final = (
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
    "lightning.pytorch.callbacks.model_checkpoint.ModelCheckpoint",
    "pytorch_lightning.utilities.parsing.AttributeDict",
    "pytorch_lightning.callbacks.early_stopping.EarlyStopping",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.dtype",
    "numpy.dtypes.Float64DType",
    "_codecs.encode",
    "torch.nn.modules.container.ParameterDict",
    "argparse.Namespace",
)
"""What training programs leave in checkpoints beside the weights; Inert stands in for all of it."""


class Inert:
    """Stands for a value of a checkpoint that is of no use here; whatever is done to it does nothing."""

    def __init__(self, *_: Any) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Storage(NamedTuple):
    dtype: str
    key: str
    values: int


class _Tensor(NamedTuple):
    dtype: str
    shape: tuple[int, ...]
    key: str
    begin: int
    end: int


def inner_tensors(value: Any) -> Mapping[str, Any]:
    """The dictionary in an old nn.ParameterDict, which Inert stands for; anything else as it is."""
    state = value.state if isinstance(value, Inert) else value
    if isinstance(state, dict) and isinstance(state.get("_parameters"), dict):
        state = state["_parameters"]
    return state if isinstance(state, dict) else {}


def unwrapped(found: Any) -> tuple[Any, tuple[str, ...]]:
    """The dictionary of tensors in what a pickle holds, and the keys that lead to it."""
    keys: list[str] = []
    while isinstance(found, dict) and len(keys) < 3:
        inner = next((key for key in WRAPPERS if isinstance(found.get(key), dict) and found[key]), None)
        if inner is None:
            break
        keys.append(inner)
        found = found[inner]
    return found, tuple(keys)


def named_tensors(found: Any, kind: type) -> Iterator[tuple[str, Any]]:
    """(name, tensor) of a dictionary; one in a dictionary of its own is named outer.inner."""
    for name, value in found.items() if isinstance(found, dict) else ():
        if isinstance(value, kind):
            yield str(name), value
        else:
            yield from ((f"{name}.{k}", v) for k, v in inner_tensors(value).items() if isinstance(v, kind))


def read_pickle_header(path: Path) -> Header:
    """The header of a file that torch.save wrote; DiffusionError says what else it holds."""
    try:
        with path.open("rb") as file:
            if file.read(4) == ZIP:
                return _read_archive(path)
            file.seek(0)
            return _read_legacy(path, file)
    except DiffusionError:
        raise
    except MemoryError:
        raise DiffusionError(
            f"{path.name} was refused: reading it would take all memory. {CONVERT}"
        ) from None
    except Exception as error:  # hostile bytes may fail at any step of the machine, with any exception
        raise DiffusionError(
            f"{path.name} is damaged: its pickle cannot be read ({type(error).__name__}). Download it again."
        ) from None


def _read_archive(path: Path) -> Header:
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            records = _checked_records(path, archive, size)
            root = next((name for name in records if name.endswith("data.pkl")), None)
            if root is None:
                _refuse(path, "it is a zip archive without a torch pickle (data.pkl) in it")
            if any(name.endswith(("constants.pkl", ".py")) or "/code/" in name for name in records):
                _refuse(path, "it is a TorchScript program, not a file of weights")
            with archive.open(root) as file:
                found, keys = unwrapped(_Reader(path, file).load())
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise DiffusionError(
            f"{path.name} is cut off or damaged: as a zip archive it does not end as it should ({error}). "
            "Download it again."
        ) from None
    folder = root.removesuffix("data.pkl") + "data/"
    tensors = dict(named_tensors(found, _Tensor))
    for name, tensor in tensors.items():
        if tensor.end > records.get(folder + tensor.key, 0):
            raise DiffusionError(
                f"{path.name} is damaged: tensor '{name[:120]}' is larger than its data. Download it again."
            )
    places = {name: folder + tensor.key for name, tensor in tensors.items()}
    return Header(path, _infos(path, tensors, size), {}, 0, size, "pickle", places, keys)


def _checked_records(path: Path, archive: zipfile.ZipFile, size: int) -> dict[str, int]:
    """Name → bytes of an archive's records. torch never compresses: what is packed or overlaps is a bomb."""
    entries = archive.infolist()
    names = {entry.filename: entry.file_size for entry in entries}
    if len(entries) > MAX_RECORDS or len(names) < len(entries):
        _refuse(path, f"its archive has {len(entries)} records, some of them twice or far too many")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries) or sum(names.values()) > size:
        _refuse(
            path,
            f"unpacked it would take {sum(names.values())} bytes and it has {size}: torch does not "
            "compress, a zip bomb does",
        )
    if any(n > MAX_PICKLE for name, n in names.items() if name.endswith(".pkl")):
        _refuse(path, "the description of its tensors is absurdly long")
    return names


def _read_legacy(path: Path, file: BinaryIO) -> Header:
    """The format before torch 1.6: five pickles (magic, protocol, machine, objects, keys), then the data."""
    size = path.stat().st_size
    text = BytesIO(file.read(MAX_PICKLE))
    if _Reader(path, text).load() != LEGACY_MAGIC:
        _refuse(path, "it is a pickle that torch did not write")
    for _ in range(2):
        _Reader(path, text).load()
    reader = _Reader(path, text)
    found, wrapped = unwrapped(reader.load())
    tensors = dict(named_tensors(found, _Tensor))
    keys = _Reader(path, text).load()
    starts, at = dict[str, int](), text.tell()
    for key in keys:
        storage = reader.storages[key]
        starts[key] = at + 8  # each storage is preceded by the number of its values
        at += 8 + storage.values * SIZES[storage.dtype]
    if at > size:
        raise DiffusionError(f"{path.name} is cut off: it should have {at} bytes. Download it again.")
    placed = {
        name: t._replace(begin=starts[t.key] + t.begin, end=starts[t.key] + t.end)
        for name, t in tensors.items()
    }
    return Header(path, _infos(path, placed, size), {}, 0, size, "pickle", {}, wrapped)


def _infos(path: Path, tensors: Mapping[str, _Tensor], size: int) -> dict[str, TensorInfo]:
    if not tensors:
        raise DiffusionError(f"{path.name} holds no tensors: it is no model file. Choose another.")
    infos = {name: TensorInfo(t.dtype, t.shape, t.begin, t.end) for name, t in tensors.items()}
    total = sum(math.prod(t.shape) * SIZES[t.dtype] for t in tensors.values())
    if total > 4 * size + MAX_PICKLE:
        _refuse(path, f"its tensors would take {total} bytes in memory and the file has {size}")
    return infos


def _refuse(path: Path, why: str) -> NoReturn:
    raise DiffusionError(f"{path.name} was not loaded: {why}. {CONVERT}")


def _rebuilt(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> _Tensor:
    """What torch._utils._rebuild_tensor(_v2) would make, described."""
    shape, stride = tuple(shape), tuple(stride)
    numbers = (offset, *shape, *stride)
    if not isinstance(storage, _Storage) or any(type(n) is not int or n < 0 for n in numbers):
        raise ValueError("a tensor without storage")
    width = SIZES[storage.dtype]
    reach = sum((n - 1) * s for n, s in zip(shape, stride, strict=True)) + 1 if math.prod(shape) else 0
    if offset + reach > storage.values or math.prod(shape) > max(reach, 1) * 64:
        raise ValueError("a tensor beyond its storage")
    return _Tensor(storage.dtype, shape, storage.key, offset * width, (offset + reach) * width)


def _rebuilt_v3(storage: Any, offset: Any, shape: Any, stride: Any, _: Any, __: Any, dtype: Any) -> _Tensor:
    count = storage.values // SIZES[dtype] if storage.dtype == "U8" else storage.values
    return _rebuilt(_Storage(dtype, storage.key, count), offset, shape, stride)


def _parameter(tensor: Any, *_: Any) -> Any:
    return tensor


def _size(sides: Any = ()) -> tuple[Any, ...]:
    return tuple(sides)


_KNOWN: Final[dict[str, Any]] = {
    "torch._utils._rebuild_tensor": _rebuilt,
    "torch._utils._rebuild_tensor_v2": _rebuilt,
    "torch._utils._rebuild_tensor_v3": _rebuilt_v3,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._tensor._rebuild_from_type_v2": _parameter,
    "torch.Size": _size,
    "collections.OrderedDict": OrderedDict,
    **{f"torch.{name}": dtype for name, dtype in (_STORAGES | _DTYPES).items()},
    **{f"torch.storage.{name}": dtype for name, dtype in _STORAGES.items()},
    **dict.fromkeys(INERT_NAMES, Inert),
}
_CALLABLE: Final = (_rebuilt, _rebuilt_v3, _parameter, _size, OrderedDict, Inert)
_STEPS: Final = (
    "PROTO FRAME STOP MARK POP POP_MARK DUP NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT "
    "BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES EMPTY_DICT "
    "DICT SETITEM SETITEMS EMPTY_LIST LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_SET "
    "ADDITEMS BINPUT LONG_BINPUT MEMOIZE BINGET LONG_BINGET GLOBAL STACK_GLOBAL REDUCE NEWOBJ BUILD BINPERSID"
)
_CODES: Final = {getattr(pickle, name)[0] for name in _STEPS.split()}


class _Reader(pickle._Unpickler):
    """A pickle machine of few steps. It is the one written in Python, whose memo cannot be made to take
    memory by a large index."""

    dispatch: Final[dict[int, Callable[..., None]]] = {  # type: ignore[misc]
        code: step for code, step in pickle._Unpickler.dispatch.items() if code in _CODES
    }

    def __init__(self, path: Path, file: Any) -> None:
        super().__init__(file, encoding="latin1")
        self.stack: list[Any] = []
        self._path = path
        self.storages = dict[str, _Storage]()

    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full not in _KNOWN:
            _refuse(self._path, f"it asks for {full[:120]}, code that a model file has no need of")
        return _KNOWN[full]

    def persistent_load(self, pid: Any) -> _Storage:
        mark, dtype, key, _, count, *_ = pid
        if mark != "storage" or dtype not in SIZES or type(count) is not int or count < 0:
            raise ValueError("a storage that torch does not write")
        return self.storages.setdefault(str(key), _Storage(dtype, str(key), count))

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        function = self.stack[-1]
        if function not in _CALLABLE:
            raise ValueError("a call of what is no function")
        self.stack[-1] = function(*arguments)

    def load_newobj(self) -> None:
        self.load_reduce()

    def load_build(self) -> None:
        state = self.stack.pop()
        if isinstance(self.stack[-1], Inert):
            self.stack[-1].state = state

    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.NEWOBJ[0]] = load_newobj
    dispatch[pickle.BUILD[0]] = load_build
