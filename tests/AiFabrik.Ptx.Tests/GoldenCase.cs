using System.Buffers.Binary;
using System.Text.Json;
using Xunit;

namespace AiFabrik.Ptx.Tests;

/// <summary>One line of <c>golden/ptx/cases.json</c>, run on the machine. The format is described in <c>golden/ptx.md</c>.</summary>
internal sealed class GoldenCase(JsonElement json)
{
    private readonly Dictionary<string, PtxBuffer> _buffers = [];

    public static string Root { get; } = FindRoot();

    public static IReadOnlyDictionary<string, GoldenCase> All { get; } = JsonDocument
        .Parse(File.ReadAllBytes(Path.Combine(Root, "ptx", "cases.json"))).RootElement.EnumerateArray()
        .ToDictionary(c => c.GetProperty("name").GetString()!, c => new GoldenCase(c));

    public JsonElement Json => json;
    public bool IsError => json.TryGetProperty("error", out _);

    private static string FindRoot()
    {
        if (Environment.GetEnvironmentVariable("AIFABRIK_GOLDEN") is { Length: > 0 } root)
        {
            return root;
        }
        string? at = AppContext.BaseDirectory;
        while (at is not null && !File.Exists(Path.Combine(at, "tests", "golden", "ptx", "cases.json")))
        {
            at = Path.GetDirectoryName(at);
        }
        return Path.Combine(at ?? throw new InvalidOperationException("The golden cases are not there."), "tests", "golden");
    }

    public static PtxModule Parse(string text)
    {
        Assert.True(PtxModule.TryParse(text, out PtxModule? module, out PtxError? error), error?.ToString());
        return module!;
    }

    public PtxResult Run()
    {
        PtxModule module = Parse(File.ReadAllText(Path.Combine(Root, "ptx", json.GetProperty("file").GetString()!)));
        return Run(module, new PtxMachine());
    }

    public PtxResult Run(PtxModule module, PtxMachine machine)
    {
        _buffers.Clear();
        foreach (JsonProperty property in json.GetProperty("buffers").EnumerateObject())
        {
            JsonElement value = property.Value;
            int size = ElementSize(value.GetProperty("dtype").GetString()!) * value.GetProperty("count").GetInt32();
            PtxBuffer buffer = machine.Allocate(property.Name, size);
            if (value.TryGetProperty("data", out JsonElement data))
            {
                data.GetBytesFromBase64().CopyTo(buffer.Bytes);
            }
            else
            {
                buffer.Bytes.Fill((byte)value.GetProperty("fill_byte").GetInt32());
            }
            _buffers[property.Name] = buffer;
        }
        var arguments = new PtxArguments();
        foreach (JsonElement parameter in json.GetProperty("params").EnumerateArray())
        {
            arguments.AddBytes(Argument(parameter));
        }
        return machine.Launch(module, json.GetProperty("entry").GetString()!, Shape("grid"), Shape("block"), json.GetProperty("dynamic_shared_bytes").GetInt32(), arguments);
    }

    private Dim3 Shape(string name) => Index(json.GetProperty(name));

    public static Dim3 Index(JsonElement e) => new(e[0].GetInt32(), e[1].GetInt32(), e[2].GetInt32());

    private static int ElementSize(string dtype) => dtype switch
    {
        "u8" or "s8" => 1,
        "f16" or "bf16" or "u16" or "s16" => 2,
        "u64" or "s64" or "f64" => 8,
        _ => 4,
    };

    private byte[] Argument(JsonElement parameter)
    {
        string type = parameter.GetProperty("type").GetString()!;
        byte[] bytes = new byte[8];
        switch (type)
        {
            case "struct":
                bytes = new byte[parameter.GetProperty("size").GetInt32()];
                foreach (JsonElement field in parameter.GetProperty("fields").EnumerateArray())
                {
                    Argument(field).CopyTo(bytes, field.GetProperty("offset").GetInt32());
                }
                return bytes;
            case "ptr":
                BinaryPrimitives.WriteUInt64LittleEndian(bytes, _buffers[parameter.GetProperty("buffer").GetString()!].Address);
                return bytes;
            case "f32":
                BinaryPrimitives.WriteSingleLittleEndian(bytes, parameter.GetProperty("value").GetSingle());
                return bytes[..4];
            case "f64":
                BinaryPrimitives.WriteDoubleLittleEndian(bytes, parameter.GetProperty("value").GetDouble());
                return bytes;
            case "u64":
                BinaryPrimitives.WriteUInt64LittleEndian(bytes, parameter.GetProperty("value").GetUInt64());
                return bytes;
            default:
                BinaryPrimitives.WriteInt64LittleEndian(bytes, parameter.GetProperty("value").GetInt64());
                return bytes[..ElementSize(type)];
        }
    }

    /// <summary>Compares every output; returns the first differences in words, or null.</summary>
    public string? Differences()
    {
        foreach (JsonProperty property in json.GetProperty("expected").EnumerateObject())
        {
            string dtype = json.GetProperty("buffers").GetProperty(property.Name).GetProperty("dtype").GetString()!;
            byte[] expected = property.Value.GetProperty("data").GetBytesFromBase64();
            ReadOnlySpan<byte> actual = _buffers[property.Name].Bytes;
            JsonElement tolerance = property.Value.GetProperty("tolerance");
            double abs = tolerance.GetProperty("abs").GetDouble(), rel = tolerance.GetProperty("rel").GetDouble();
            int size = ElementSize(dtype);
            Assert.Equal(expected.Length, actual.Length);
            for (int i = 0; i < expected.Length; i += size)
            {
                ReadOnlySpan<byte> e = expected.AsSpan(i, size), a = actual.Slice(i, size);
                if (!Matches(dtype, e, a, abs, rel))
                {
                    return $"{property.Name}[{i / size}] is {Convert.ToHexString(a)} ({Value(dtype, a)}), not {Convert.ToHexString(e)} ({Value(dtype, e)})";
                }
            }
        }
        return null;
    }

    private static bool Matches(string dtype, ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, double abs, double rel)
    {
        if (expected.SequenceEqual(actual))
        {
            return true;
        }
        bool isFloat = dtype[0] is 'f' or 'b';
        (double e, double a) = (Value(dtype, expected), Value(dtype, actual));
        if (isFloat && double.IsNaN(e))
        {
            return double.IsNaN(a);
        }
        if (abs == 0 && rel == 0)
        {
            return false;
        }
        return e == a || Math.Abs(a - e) <= abs + rel * Math.Abs(e);
    }

    private static double Value(string dtype, ReadOnlySpan<byte> bytes) => dtype switch
    {
        "f16" => (double)BinaryPrimitives.ReadHalfLittleEndian(bytes),
        "bf16" => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes) << 16),
        "f32" => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        "f64" => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        "u8" => bytes[0],
        "s8" => (sbyte)bytes[0],
        "u16" => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        "s16" => BinaryPrimitives.ReadInt16LittleEndian(bytes),
        "u64" => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        "s64" => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        "u32" => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        _ => BinaryPrimitives.ReadInt32LittleEndian(bytes),
    };
}
