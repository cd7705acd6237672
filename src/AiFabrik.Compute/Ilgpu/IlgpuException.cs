namespace AiFabrik.Compute.Ilgpu;

/// <summary>A device cannot do what was asked. The message is one sentence for people.</summary>
public sealed class IlgpuException : Exception
{
    public IlgpuException(string message) : base(message) { }

    public IlgpuException(string message, Exception cause) : base(message, cause) { }
}
