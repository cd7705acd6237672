using System.Buffers.Binary;
using System.Security.Cryptography;

namespace AiFabrik.Engine.Models.Quantization;

/// <summary>What is kept beside quantised weights: length, time of change (ticks), SHA-256.</summary>
internal readonly struct QuantizedSeal(FileInfo file)
{
    private const int HeadBytes = 2 * sizeof(long);

    public byte[] ToBytes(ReadOnlySpan<byte> hash)
    {
        var bytes = new byte[HeadBytes + SHA256.HashSizeInBytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, file.Length);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(sizeof(long)), file.LastWriteTimeUtc.Ticks);
        hash.CopyTo(bytes.AsSpan(HeadBytes));
        return bytes;
    }

    /// <summary>
    /// The file is the one that was sealed. It is hashed where that takes a fraction of a second (or the policy says always), and whenever its time
    /// of change is another.
    /// </summary>
    public bool Holds(string path, ReadOnlySpan<byte> seal, ChecksumPolicy policy)
    {
        if (seal.Length != HeadBytes + SHA256.HashSizeInBytes || BinaryPrimitives.ReadInt64LittleEndian(seal) != file.Length) return false;
        var touched = BinaryPrimitives.ReadInt64LittleEndian(seal[sizeof(long)..]) != file.LastWriteTimeUtc.Ticks;
        var looks = policy == ChecksumPolicy.Always || (policy == ChecksumPolicy.Small && file.Length <= ModelLoadOptions.ChecksumBytesMax);
        return !(touched || looks) || ModelLoaderChecksums.Hash(path).AsSpan().SequenceEqual(seal[HeadBytes..]);
    }
}
