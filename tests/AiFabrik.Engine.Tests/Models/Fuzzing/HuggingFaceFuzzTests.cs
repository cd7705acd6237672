using System.Buffers.Binary;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Architectures;
using AiFabrik.Engine.Models.HuggingFace;
using AiFabrik.Engine.Models.Safetensors;
using AiFabrik.Engine.Tests.Models.Making;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.Fuzzing;

public sealed class HuggingFaceFuzzTests
{
    private const int SpareBytes = 16_384;

    private static readonly string[] Models =
        ["llama-gqa-tied", "llama-rope-yarn", "llama-rope-llama3", "mixtral", "gpt-oss-mxfp4", "gpt-oss-bf16", "gemma2", "gemma3-multimodal", "gemma3-new", "phi3-new", "phi4-mini", "qwen2-window", "qwen3moe-mixed"];

    private sealed record Base(byte[] Config, byte[] Data, int HeaderBytes, FileBytes Memory)
    {
        public static Base Of(string name) => Of(name, File.ReadAllBytes(TestPaths.HuggingFace(name) + "/model.safetensors"));

        /// <summary>Mixtral as transformers 5 holds it.</summary>
        public static Base Stacked()
        {
            using var folder = new TemporaryFolder();
            var tensors = SafetensorsBytes.Read(TestPaths.HuggingFace("mixtral") + "/model.safetensors").ToDictionary(t => t.Name);
            ExpertLayouts.Stack(tensors, "block_sparse_moe.experts", ["w1", "w3", "w2"]);
            SafetensorsBytes.Write(folder.File("m.safetensors"), tensors.Values);
            return Of("mixtral", File.ReadAllBytes(folder.File("m.safetensors")));
        }

        private static Base Of(string name, byte[] data)
        {
            return new Base(File.ReadAllBytes(TestPaths.HuggingFace(name) + "/config.json"), data, (int)BinaryPrimitives.ReadInt64LittleEndian(data), FileBytes.Allocate("fuzzed", data.Length + SpareBytes));
        }
    }

    [Fact]
    public void Mutated_configurations_are_read_or_refused_within_bounds()
    {
        var bases = Models.Select(Base.Of).Append(Base.Stacked()).ToArray();
        foreach (var b in bases) b.Data.CopyTo(b.Memory.Writable);
        Fuzz.Run(Fuzz.Iterations, seed =>
        {
            var random = new FuzzRandom(seed);
            var b = bases[random.Below(bases.Length)];
            Load(JsonMutator.Mutate(b.Config, ref random), b.Memory.Shortened(b.Data.Length));
            return b.Data.Length;
        });
    }

    [Fact]
    public void Mutated_safetensors_are_read_or_refused_within_bounds()
    {
        var bases = Models.Select(Base.Of).Append(Base.Stacked()).ToArray();
        Fuzz.Run(Fuzz.Iterations, seed =>
        {
            var random = new FuzzRandom(seed);
            var b = bases[random.Below(bases.Length)];
            var length = Mutate(b, ref random);
            Load(b.Config, b.Memory.Shortened(length));
            return length;
        });
    }

    /// <summary>The index of a sharded model and generation_config.json, in a directory whose shards are whole.</summary>
    [Fact]
    public void Mutated_indexes_and_generation_settings_are_read_or_refused_within_bounds()
    {
        using var folder = new TemporaryFolder();
        var golden = TestPaths.HuggingFace("llama-head-dim");
        foreach (var file in Directory.GetFiles(golden)) File.Copy(file, folder.File(Path.GetFileName(file)));
        string[] names = [SafetensorsModel.IndexName, "generation_config.json"];
        var texts = names.Select(n => File.ReadAllBytes(Path.Combine(golden, n))).ToArray();
        var bytes = Directory.GetFiles(golden, "*.safetensors").Sum(f => new FileInfo(f).Length);
        Fuzz.Run(Fuzz.Iterations, seed =>
        {
            var random = new FuzzRandom(seed);
            var which = random.Below(names.Length);
            for (var i = 0; i < names.Length; i++) File.WriteAllBytes(folder.File(names[i]), i == which ? JsonMutator.Mutate(texts[i], ref random) : texts[i]);
            using var files = ModelFiles.Open(folder.Path);
            ArchitectureRegistry.Build(files.Config, files.Weights);
            return bytes;
        });
    }

    private static int Mutate(Base b, ref FuzzRandom random)
    {
        const int LengthBytes = 8;
        var header = b.Data.AsSpan(LengthBytes, b.HeaderBytes).ToArray();
        if (random.Below(8) != 0) header = JsonMutator.Mutate(header, ref random);
        // Mostly the length is made to fit, so that the JSON is what is looked at.
        if (header.Length < b.HeaderBytes && random.Below(2) == 0) Array.Resize(ref header, b.HeaderBytes);
        for (var i = header.Length - 1; i >= 0 && header[i] == 0; i--) header[i] = (byte)' ';
        var memory = b.Memory.Writable;
        var body = b.Data.AsSpan(LengthBytes + b.HeaderBytes);
        var length = LengthBytes + header.Length + body.Length;
        BinaryPrimitives.WriteInt64LittleEndian(memory, header.Length);
        if (length > memory.Length) return LengthBytes;
        header.CopyTo(memory[LengthBytes..]);
        body.CopyTo(memory[(LengthBytes + header.Length)..]);
        if (random.Below(8) == 0) BinaryPrimitives.WriteUInt64LittleEndian(memory, random.Of<ulong>([0, 1, 7, 100_000_001, (ulong)length, (ulong)length - 8, (ulong)length - 7, 1UL << 63, ulong.MaxValue, random.Next()]));
        return random.Below(8) == 0 ? 1 + random.Below(length) : length;
    }

    private static void Load(byte[] config, FileBytes file)
    {
        using var document = ModelJson.Parse("config.json", config);
        var read = HfConfig.Read("config.json", document.RootElement);
        using var weights = HfWeights.Load(SafetensorsModel.Open(file), read, "model");
        foreach (var name in weights.Names)
        {
            Assert.True(weights.TryGet(name, out var t));
            // The last row of the last expert must be readable.
            _ = t.RowSpan(t.Experts - 1, t.Rows - 1)[^1];
        }
        ArchitectureRegistry.Build(read, weights);
    }
}
