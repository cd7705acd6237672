using System.IO.MemoryMappedFiles;

namespace AiFabrik.Compute.Memory;

/// <summary>A file mapped read-only, whole. Weights and metadata are read from it in place.</summary>
public sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private byte* _memory;

    /// <summary>Maps <paramref name="path"/>; throws what the file system throws. An empty file cannot be mapped (<see cref="IOException"/>).</summary>
    public MappedFile(string path)
    {
        Path = path;
        LengthBytes = new FileInfo(path).Length;
        if (LengthBytes == 0) throw new IOException($"{path} is empty.");
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, LengthBytes, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _memory);
        _memory += _view.PointerOffset;
    }

    public string Path { get; }
    public long LengthBytes { get; }

    /// <summary>Where the file's first byte lies, valid until disposed.</summary>
    public nint Address => (nint)_memory;

    /// <summary>The bytes [offset, offset + length); throws if they are not all in the file.</summary>
    public ReadOnlySpan<byte> Bytes(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(_memory == null, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, LengthBytes - length);
        return new ReadOnlySpan<byte>(_memory + offset, length);
    }

    public void Dispose()
    {
        if (_memory == null) return;
        _memory = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
