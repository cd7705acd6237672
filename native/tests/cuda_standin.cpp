// The CUDA driver's C interface without a driver: every call goes on to a function that the test process has given for it
// (tests/AiFabrik.Ptx/Driver). The library's name of record is the driver's, so that whoever asks for libcuda.so.1 after it has been loaded gets
// it. A call that nothing was given for reports CUDA_ERROR_NOT_SUPPORTED: alone, this is a driver that does not work.
#include <cstddef>
#include <cstdint>

namespace {
constexpr int kNotSupported = 801;
}

// `NAME_target` holds the function; the process writes it before the first call.
#define FORWARD(name, parameters, arguments)                                          \
  extern "C" {                                                                        \
  __attribute__((visibility("default"))) int(*name##_target) parameters = nullptr;    \
  __attribute__((visibility("default"))) int name parameters {                        \
    return name##_target ? name##_target arguments : kNotSupported;                   \
  }                                                                                   \
  }

using Handle = void*;
using Address = std::uint64_t;
using Size = std::size_t;
using Unsigned = unsigned int;

// Initialisation and errors.
FORWARD(cuInit, (Unsigned flags), (flags))
FORWARD(cuDriverGetVersion, (int* version), (version))
FORWARD(cuGetErrorName, (int error, const char** name), (error, name))
FORWARD(cuGetErrorString, (int error, const char** text), (error, text))

// Devices and contexts.
FORWARD(cuDeviceGet, (int* device, int ordinal), (device, ordinal))
FORWARD(cuDeviceGetCount, (int* count), (count))
FORWARD(cuDeviceGetName, (char* name, int length, int device), (name, length, device))
FORWARD(cuDeviceTotalMem_v2, (Size* bytes, int device), (bytes, device))
FORWARD(cuDeviceGetAttribute, (int* value, int attribute, int device), (value, attribute, device))
FORWARD(cuDeviceCanAccessPeer, (int* can, int device, int peer), (can, device, peer))
FORWARD(cuDeviceGetP2PAttribute, (int* value, int attribute, int source, int target), (value, attribute, source, target))
FORWARD(cuCtxCreate_v2, (Handle* context, Unsigned flags, int device), (context, flags, device))
FORWARD(cuCtxDestroy_v2, (Handle context), (context))
FORWARD(cuCtxSetCurrent, (Handle context), (context))
FORWARD(cuCtxSynchronize, (), ())
FORWARD(cuCtxGetCacheConfig, (int* config), (config))
FORWARD(cuCtxSetCacheConfig, (int config), (config))
FORWARD(cuCtxGetSharedMemConfig, (int* config), (config))
FORWARD(cuCtxSetSharedMemConfig, (int config), (config))
FORWARD(cuCtxEnablePeerAccess, (Handle peer, Unsigned flags), (peer, flags))
FORWARD(cuCtxDisablePeerAccess, (Handle peer), (peer))

// Memory.
FORWARD(cuPointerGetAttribute, (void* value, int attribute, Address address), (value, attribute, address))
FORWARD(cuMemGetInfo_v2, (Size* free, Size* total), (free, total))
FORWARD(cuMemAlloc_v2, (Address* address, Size bytes), (address, bytes))
FORWARD(cuMemFree_v2, (Address address), (address))
FORWARD(cuMemAllocHost_v2, (void** memory, Size bytes), (memory, bytes))
FORWARD(cuMemFreeHost, (void* memory), (memory))
FORWARD(cuMemHostRegister_v2, (void* memory, Size bytes, Unsigned flags), (memory, bytes, flags))
FORWARD(cuMemHostUnregister, (void* memory), (memory))
FORWARD(cuMemHostGetDevicePointer_v2, (Address* address, void* memory, Unsigned flags), (address, memory, flags))
FORWARD(cuMemcpyAsync, (Address target, Address source, Size bytes, Handle stream), (target, source, bytes, stream))
FORWARD(cuMemcpyDtoDAsync_v2, (Address target, Address source, Size bytes, Handle stream), (target, source, bytes, stream))
FORWARD(cuMemsetD8Async, (Address address, unsigned char value, Size bytes, Handle stream), (address, value, bytes, stream))

// Modules and launches.
FORWARD(cuModuleLoadData, (Handle* module, const void* image), (module, image))
FORWARD(cuModuleLoadDataEx, (Handle* module, const void* image, Unsigned count, int* options, void** values), (module, image, count, options, values))
FORWARD(cuModuleUnload, (Handle module), (module))
FORWARD(cuModuleGetFunction, (Handle* function, Handle module, const char* name), (function, module, name))
FORWARD(cuFuncGetAttribute, (int* value, int attribute, Handle function), (value, attribute, function))
FORWARD(cuFuncSetAttribute, (Handle function, int attribute, int value), (function, attribute, value))
FORWARD(cuLaunchKernel,
        (Handle function, Unsigned grid_x, Unsigned grid_y, Unsigned grid_z, Unsigned block_x, Unsigned block_y, Unsigned block_z, Unsigned shared_bytes,
         Handle stream, void** parameters, void** extra),
        (function, grid_x, grid_y, grid_z, block_x, block_y, block_z, shared_bytes, stream, parameters, extra))
FORWARD(cuOccupancyMaxActiveBlocksPerMultiprocessor, (int* blocks, Handle function, int threads, Size shared_bytes), (blocks, function, threads, shared_bytes))
FORWARD(cuOccupancyMaxPotentialBlockSize,
        (int* blocks, int* threads, Handle function, Size (*shared_bytes_of)(int), Size shared_bytes, int threads_max),
        (blocks, threads, function, shared_bytes_of, shared_bytes, threads_max))

// Streams and events.
FORWARD(cuStreamCreate, (Handle* stream, Unsigned flags), (stream, flags))
FORWARD(cuStreamCreateWithPriority, (Handle* stream, Unsigned flags, int priority), (stream, flags, priority))
FORWARD(cuStreamDestroy_v2, (Handle stream), (stream))
FORWARD(cuStreamSynchronize, (Handle stream), (stream))
FORWARD(cuStreamWaitEvent, (Handle stream, Handle event, Unsigned flags), (stream, event, flags))
FORWARD(cuEventCreate, (Handle* event, Unsigned flags), (event, flags))
FORWARD(cuEventDestroy_v2, (Handle event), (event))
FORWARD(cuEventQuery, (Handle event), (event))
FORWARD(cuEventRecord, (Handle event, Handle stream), (event, stream))
FORWARD(cuEventSynchronize, (Handle event), (event))
FORWARD(cuEventElapsedTime, (float* milliseconds, Handle start, Handle end), (milliseconds, start, end))

// Capture and graphs.
FORWARD(cuStreamBeginCapture_v2, (Handle stream, int mode), (stream, mode))
FORWARD(cuStreamEndCapture, (Handle stream, Handle* graph), (stream, graph))
FORWARD(cuStreamIsCapturing, (Handle stream, int* status), (stream, status))
FORWARD(cuGraphInstantiateWithFlags, (Handle* executable, Handle graph, unsigned long long flags), (executable, graph, flags))
FORWARD(cuGraphExecUpdate_v2, (Handle executable, Handle graph, void* info), (executable, graph, info))
FORWARD(cuGraphUpload, (Handle executable, Handle stream), (executable, stream))
FORWARD(cuGraphLaunch, (Handle executable, Handle stream), (executable, stream))
FORWARD(cuGraphExecDestroy, (Handle executable), (executable))
FORWARD(cuGraphDestroy, (Handle graph), (graph))
