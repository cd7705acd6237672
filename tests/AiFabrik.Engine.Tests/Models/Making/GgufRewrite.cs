using System.Text;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Gguf;
using AiFabrik.Engine.Tests.Models.Fuzzing;

namespace AiFabrik.Engine.Tests.Models.Making;

/// <summary>A tensor of a GGUF file; dimensions fastest-varying first.</summary>
internal sealed record GgufRaw(string Name, WeightType Type, int[] Dims, byte[] Data);

/// <summary>GGUF files with their tensors exchanged; keys stay as they are.</summary>
internal static class GgufRewrite
{
    public static List<GgufRaw> Tensors(string path)
    {
        if (!GgufFile.TryOpen(path, out var file, out var error)) throw new ModelFormatException(error);
        using (file) return [.. file.Tensors.Select(t => new GgufRaw(t.Name, t.Type, [.. t.Dims], file.TensorBytes(t).ToArray()))];
    }

    /// <summary>Writes <paramref name="source"/>'s keys with other tensors.</summary>
    public static void Write(string source, string path, IReadOnlyList<GgufRaw> tensors)
    {
        const int Alignment = 32;
        var bytes = File.ReadAllBytes(source);
        var fields = new GgufFields(bytes);
        using var file = File.Create(path);
        using var output = new BinaryWriter(file);
        output.Write("GGUF"u8);
        output.Write(3u);
        output.Write((ulong)tensors.Count);
        output.Write((ulong)fields.Pairs.Count);
        output.Write(bytes.AsSpan(fields.Pairs[0].Start, fields.Pairs[^1].End - fields.Pairs[0].Start));
        ulong offset = 0;
        foreach (var t in tensors)
        {
            var name = Encoding.UTF8.GetBytes(t.Name);
            output.Write((ulong)name.Length);
            output.Write(name);
            output.Write((uint)t.Dims.Length);
            foreach (var size in t.Dims) output.Write((ulong)size);
            output.Write((uint)t.Type);
            output.Write(offset);
            offset += (ulong)(t.Data.Length + Alignment - 1) / Alignment * Alignment;
        }
        foreach (var t in tensors)
        {
            Pad(output, Alignment);
            output.Write(t.Data);
        }
        Pad(output, Alignment);
    }

    private static void Pad(BinaryWriter output, int alignment)
    {
        output.Flush();
        while (output.BaseStream.Position % alignment != 0) output.Write((byte)0);
    }
}
