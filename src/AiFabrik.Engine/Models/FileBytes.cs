using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using AiFabrik.Compute.Memory;

namespace AiFabrik.Engine.Models;

/// <summary>
/// The bytes of a model file at a fixed address: mapped from disk, or memory of our own (converted weights, files made up by tests).
/// Whoever opened it disposes it, after everything that points into it.
/// </summary>
internal sealed class FileBytes : IDisposable
{
    /// <summary>Alignment of memory of our own: a cache line, and whatever vector loads want.</summary>
    public const int OwnAlignmentBytes = 64;

    /// <summary>Bytes of own memory up to which it is a pinned array; beyond, it lies outside the managed heap.</summary>
    public const long ArrayBytesMax = 1L << 30;

    private readonly MappedFile? _file;
    private readonly AlignedMemory? _large;
    private byte[]? _memory;
    private readonly int _start;

    private FileBytes(MappedFile file)
    {
        _file = file;
        Name = file.Path;
        LengthBytes = file.LengthBytes;
        Address = file.Address;
    }

    private FileBytes(string name, AlignedMemory large)
    {
        _large = large;
        Name = name;
        LengthBytes = large.LengthBytes;
        Address = large.Address;
    }

    private FileBytes(string name, byte[] pinned, int start, int length)
    {
        _memory = pinned;
        _start = start;
        Name = name;
        LengthBytes = length;
        Address = Marshal.UnsafeAddrOfPinnedArrayElement(pinned, start);
    }

    /// <summary>Path of the file, or what the memory stands for.</summary>
    public string Name { get; }

    public long LengthBytes { get; }

    /// <summary>Where byte 0 lies.</summary>
    public nint Address { get; }

    /// <summary>Maps a file. The error is one sentence.</summary>
    public static bool TryMap(string path, [NotNullWhen(true)] out FileBytes? bytes, [NotNullWhen(false)] out string? error)
    {
        bytes = null;
        error = null;
        try
        {
            if (!File.Exists(path)) error = Directory.Exists(path) ? $"{path} is a directory, not a file." : $"{path} does not exist.";
            else if (new FileInfo(path).Length == 0) error = $"{path} is empty.";
            else bytes = new FileBytes(new MappedFile(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            error = $"{path} cannot be read ({e.GetType().Name}).";
        }
        return bytes is not null;
    }

    /// <summary>Zeroed memory of our own, aligned to <see cref="OwnAlignmentBytes"/>.</summary>
    public static FileBytes Allocate(string name, long length)
    {
        if (length > ArrayBytesMax) return new FileBytes(name, new AlignedMemory(length, OwnAlignmentBytes));
        var memory = GC.AllocateArray<byte>((int)length + OwnAlignmentBytes, pinned: true);
        var start = (int)(-Marshal.UnsafeAddrOfPinnedArrayElement(memory, 0) & (OwnAlignmentBytes - 1));
        return new FileBytes(name, memory, start, (int)length);
    }

    /// <summary>The first <paramref name="length"/> bytes of memory of our own, which is not copied.</summary>
    public FileBytes Shortened(int length) => new(Name, _memory ?? throw new ObjectDisposedException(Name), _start, Math.Min(length, (int)LengthBytes));

    /// <summary>A copy of <paramref name="bytes"/> in memory of our own.</summary>
    public static FileBytes Of(string name, ReadOnlySpan<byte> bytes)
    {
        var copy = Allocate(name, bytes.Length);
        bytes.CopyTo(copy.Writable);
        return copy;
    }

    /// <summary>Memory of our own, smaller than 2 GiB, to be filled.</summary>
    public Span<byte> Writable => WritableBytes(0, checked((int)LengthBytes));

    /// <summary>Memory of our own, to be filled: the bytes [offset, offset + length).</summary>
    public Span<byte> WritableBytes(long offset, int length) =>
        _large is not null ? _large.Bytes(offset, length) : (_memory ?? throw new ObjectDisposedException(Name)).AsSpan(_start, (int)LengthBytes).Slice(checked((int)offset), length);

    /// <summary>The bytes [offset, offset + length); throws if they are not all there.</summary>
    public ReadOnlySpan<byte> Bytes(long offset, int length)
    {
        if (_file is not null) return _file.Bytes(offset, length);
        if (_large is not null) return _large.Bytes(offset, length);
        ObjectDisposedException.ThrowIf(_memory is null, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, LengthBytes - length);
        return _memory.AsSpan(_start + (int)offset, length);
    }

    public void Dispose()
    {
        _file?.Dispose();
        _large?.Dispose();
        _memory = null;
    }
}
