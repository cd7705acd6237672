using Microsoft.Win32.SafeHandles;

namespace AiFabrik.Compute.Native;

/// <summary>Owns an af_model: its packed weights, cache, activations and threads.</summary>
internal sealed class NativeModelHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public NativeModelHandle() : base(ownsHandle: true) { }

    public NativeModelHandle(nint model) : base(ownsHandle: true) => SetHandle(model);

    protected override bool ReleaseHandle()
    {
        NativeMethods.af_model_destroy(handle);
        return true;
    }
}
