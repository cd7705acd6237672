using System.Buffers.Binary;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Architectures;
using AiFabrik.Engine.Models.Gguf;
using AiFabrik.Engine.Tests.Models.Making;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.Fuzzing;

public sealed class GgufFuzzTests
{
    private const int SpareBytes = 4096;

    private static readonly string[] Files =
        ["type-Q4_0.gguf", "arch-llama-rope-llama3.gguf", "arch-gpt-oss-mxfp4.gguf", "arch-gemma3-text.gguf", "arch-phi3-longrope.gguf", "arch-qwen2-yarn.gguf", "arch-qwen3moe-norm.gguf"];

    private sealed record Base(byte[] Data, GgufFields Fields, FileBytes Memory);

    [Fact]
    public void Mutated_files_are_read_or_refused_within_bounds()
    {
        var bases = Files.Select(f => File.ReadAllBytes(TestPaths.Gguf(f))).Append(OldMixtral()).Select(d => new Base(d, new GgufFields(d), FileBytes.Allocate("fuzzed.gguf", d.Length + SpareBytes))).ToArray();
        Fuzz.Run(Fuzz.Iterations, seed =>
        {
            var random = new FuzzRandom(seed);
            var b = bases[random.Below(bases.Length)];
            b.Data.CopyTo(b.Memory.Writable);
            var length = Mutate(b, ref random);
            Read(b.Memory.Shortened(length));
            return length;
        });
    }

    /// <summary>Every expert in tensors of its own, as files were written until early 2024.</summary>
    private static byte[] OldMixtral()
    {
        using var folder = new TemporaryFolder();
        var golden = TestPaths.Gguf("arch-mixtral.gguf");
        GgufRewrite.Write(golden, folder.File("m.gguf"), [.. GgufRewrite.Tensors(golden).SelectMany(ExpertLayouts.Split)]);
        return File.ReadAllBytes(folder.File("m.gguf"));
    }

    private static int Mutate(Base b, ref FuzzRandom random)
    {
        var data = b.Memory.Writable;
        var length = b.Data.Length;
        for (var n = 1 + random.Below(3); n > 0; n--)
        {
            switch (random.Below(10))
            {
                case 0: length = random.Below(random.Below(2) == 0 ? b.Fields.HeaderBytes : length) + 1; break;
                case 1: length = Math.Min(length + random.Below(SpareBytes), data.Length); break;
                case 2: data[random.Below(b.Fields.HeaderBytes)] ^= (byte)(1 << random.Below(8)); break;
                case 3: Swap(data, b.Fields.Pairs, ref random); break;
                case 4: Swap(data, b.Fields.Tensors, ref random); break;
                case 5: data[random.Below(b.Fields.HeaderBytes)] = (byte)random.Next(); break;
                default: ChangeNumber(data, b.Fields, length, ref random); break;
            }
        }
        return length;
    }

    private static void ChangeNumber(Span<byte> data, GgufFields fields, int length, ref FuzzRandom random)
    {
        var (at, bytes) = fields.Numbers[random.Below(fields.Numbers.Count)];
        var old = bytes == 4 ? BinaryPrimitives.ReadUInt32LittleEndian(data[at..]) : BinaryPrimitives.ReadUInt64LittleEndian(data[at..]);
        var value = random.Of<ulong>([0, 1, 2, 3, 7, 8, 9, 12, 16, 31, 33, 39, 256, 0x7F80_0000, 0x7FC0_0000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1UL << 32, 1UL << 40, 1UL << 60, 1UL << 62, (1UL << 63) - 1, 1UL << 63, ulong.MaxValue,
            old + 1, old - 1, old * 2, old / 2, old + 32, old - 32, old ^ (1UL << random.Below(bytes * 8)), (ulong)length, (ulong)length - old, random.Next()]);
        if (bytes == 4) BinaryPrimitives.WriteUInt32LittleEndian(data[at..], (uint)value);
        else BinaryPrimitives.WriteUInt64LittleEndian(data[at..], value);
    }

    /// <summary>Writes one entry over another of the same or another length: duplicates, and everything behind shifted.</summary>
    private static void Swap(Span<byte> data, List<(int Start, int End)> entries, ref FuzzRandom random)
    {
        var from = entries[random.Below(entries.Count)];
        var to = entries[random.Below(entries.Count)];
        var count = Math.Min(from.End - from.Start, data.Length - to.Start);
        data.Slice(from.Start, count).CopyTo(data[to.Start..]);
    }

    /// <summary>All that loading does with a file, and every value that its metadata offers.</summary>
    internal static void Read(FileBytes bytes)
    {
        if (!GgufFile.TryOpen(bytes, out var file, out var error)) throw new ModelFormatException(error);
        using (file)
        {
            foreach (var key in file.Metadata.Keys) Touch(file.Metadata, key);
            foreach (var tensor in file.Tensors) Assert.InRange(tensor.Offset + tensor.Bytes, 1, bytes.LengthBytes);
            var config = GgufConfig.Read(file);
            using var weights = GgufWeights.Load(file);
            ArchitectureRegistry.Build(config, weights);
        }
    }

    private static void Touch(GgufMetadata m, string key)
    {
        Assert.True(m.TryDescribe(key, out _, out _, out _));
        m.TryGetString(key, out _);
        m.TryGetFloat(key, out _);
        m.TryGetUInt32(key, out _);
        m.TryGetBool(key, out _);
        if (m.TryGetInt32s(key, out var ints) && ints.Length > 0) _ = ints[^1];
        if (m.TryGetFloats(key, out var floats) && floats.Length > 0) _ = floats[^1];
        if (m.TryGetBools(key, out var bools) && bools.Length > 0) _ = bools[^1];
        if (!m.TryGetStrings(key, out var texts)) return;
        for (var i = 0; i < texts.Count; i++) _ = texts[i];
    }
}
