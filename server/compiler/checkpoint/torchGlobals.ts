import { InertObject, PickleGlobal } from './pickle.ts';
import {
  rebuildParameter,
  rebuildTensor,
  storageClassNames,
  UnsupportedTensor,
} from './torchTensor.ts';

/*
 * Every name that the pickle of a torch checkpoint may import, and the data that stands for it.
 * A name that is not here is refused. Nothing here runs what the pickle names: a class of another
 * program becomes an object without behaviour.
 */

/** A module whose weight old fairseq checkpoints hold as an object. */
export const embeddingClass = 'torch.nn.modules.sparse.Embedding';

/** What training leaves beside the weights; of no meaning to us. */
const inertClasses = [
  embeddingClass,
  // States of random generators, and numbers, of NumPy 1 and 2.
  'numpy.core.multiarray._reconstruct',
  'numpy.core.multiarray.scalar',
  'numpy.core.numeric._frombuffer',
  'numpy._core.multiarray._reconstruct',
  'numpy._core.multiarray.scalar',
  'numpy._core.numeric._frombuffer',
  'numpy.ndarray',
  'numpy.dtype',
  '_codecs.encode', // how protocol 2 writes bytes
  // Arguments and configurations of trainers.
  'argparse.Namespace',
  'pathlib.Path',
  'pathlib.PosixPath',
  'pathlib.WindowsPath',
  'pathlib._local.PosixPath', // Python 3.13
  'pathlib._local.WindowsPath',
  'omegaconf.base.ContainerMetadata',
  'omegaconf.base.Metadata',
  'omegaconf.dictconfig.DictConfig',
  'omegaconf.listconfig.ListConfig',
  'omegaconf.nodes.AnyNode',
  'omegaconf.nodes.BooleanNode',
  'omegaconf.nodes.FloatNode',
  'omegaconf.nodes.IntegerNode',
  'omegaconf.nodes.StringNode',
  // Kinds of torch that are not tensors.
  'torch.Size',
  'torch.device',
  'torch.serialization._get_layout',
];

/** Names that stand as values and are never called. */
const constants = [
  'builtins.bool',
  'builtins.dict',
  'builtins.float',
  'builtins.int',
  'builtins.list',
  'builtins.str',
  'builtins.tuple',
  'typing.Any',
  'torch.bfloat16',
  'torch.bool',
  'torch.float16',
  'torch.float32',
  'torch.float64',
  'torch.int16',
  'torch.int32',
  'torch.int64',
  'torch.int8',
  'torch.uint8',
  'torch.float8_e4m3fn',
  'torch.float8_e5m2',
  'torch.per_channel_affine',
  'torch.per_tensor_affine',
];

/** Tensors that are no views of a storage. They may stand in the file, but not for a weight. */
const otherTensors = [
  'torch._tensor._rebuild_from_type_v2', // a subclass of a tensor
  'torch._utils._rebuild_meta_tensor_no_storage',
  'torch._utils._rebuild_nested_tensor',
  'torch._utils._rebuild_qtensor',
  'torch._utils._rebuild_sparse_csr_tensor',
  'torch._utils._rebuild_sparse_tensor',
  'torch._utils._rebuild_tensor_v3', // of a type without a storage class, such as float8
  'torch._utils._rebuild_wrapper_subclass',
];

/** The list, by name with module. */
export const torchGlobals: ReadonlyMap<string, PickleGlobal> = new Map(
  [
    ...inertClasses.map((name) => new PickleGlobal(name, () => new InertObject(name))),
    ...constants.map((name) => new PickleGlobal(name)),
    ...storageClassNames.map((name) => new PickleGlobal(name)),
    ...otherTensors.map((name) => new PickleGlobal(name, () => new UnsupportedTensor(name))),
    new PickleGlobal('collections.OrderedDict', makeDict),
    new PickleGlobal('collections.Counter', makeDict),
    new PickleGlobal('collections.defaultdict', () => new Map()), // its argument makes defaults
    new PickleGlobal('builtins.set', makeList),
    new PickleGlobal('torch._utils._rebuild_parameter', rebuildParameter),
    new PickleGlobal('torch._utils._rebuild_parameter_with_state', rebuildParameter),
    new PickleGlobal('torch._utils._rebuild_tensor_v2', rebuildTensor),
  ].map((global) => [global.name, global]),
);

/**
 * Classes of dicts are called without arguments and filled, or with a dict of all items. That is
 * not copied: a pickle may ask for it again and again.
 */
function makeDict([items]: readonly unknown[]): unknown {
  return items instanceof Map ? items : new Map();
}

function makeList([items]: readonly unknown[]): unknown {
  return Array.isArray(items) ? items : [];
}
