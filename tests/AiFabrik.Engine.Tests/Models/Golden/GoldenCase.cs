using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Tests.Models.Golden;

/// <summary>One case of a model: tokens, expected logits of some rows, expected continuation (tests/golden/models.md).</summary>
internal sealed class GoldenCase
{
    public required string Name { get; init; }
    public required int[] Tokens { get; init; }
    public required int[] Rows { get; init; }

    /// <summary>[Rows.Length, vocabulary].</summary>
    public required float[] Logits { get; init; }

    /// <summary>Standard deviation of the expected rows.</summary>
    public required double Std { get; init; }
    public required int[] Greedy { get; init; }

    /// <summary>At each step (best − second logit) / std of that row.</summary>
    public required double[] Gaps { get; init; }

    /// <summary>Mixtures of experts: at each step, the smallest distance between last chosen and first rejected router logit.</summary>
    public required double[]? RouterMargins { get; init; }
    public required GoldenBounds Bounds { get; init; }

    /// <summary>A step is determined if its gap exceeds five times the limit, and its router margin four times what the class changes at most.</summary>
    public bool IsDetermined(int step, ExactnessClass exactness) =>
        Gaps[step] > 5 * Bounds.Limit(exactness) && (RouterMargins is null || RouterMargins[step] > 4 * Bounds.RouterChange(exactness));

    /// <summary>The cases of a Hugging Face directory; a GGUF twin has the same.</summary>
    public static IEnumerable<GoldenCase> OfDirectory(string folder)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "cases.json")));
        var bounds = new GoldenBounds(document.RootElement);
        foreach (var item in document.RootElement.GetProperty("cases").EnumerateArray())
            yield return Read(string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(folder)} case {item.GetProperty("id").GetInt32()}"), item, bounds, folder);
    }

    /// <summary>The case of a weight type's GGUF file.</summary>
    public static GoldenCase OfType(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(TestPaths.GivenGguf("cases.json")));
        var item = document.RootElement.GetProperty("types").EnumerateArray().Single(type => type.GetProperty("file").GetString() == file);
        return Read(file, item, new GoldenBounds(item), Path.Combine(TestPaths.Golden, "gguf"));
    }

    /// <summary>GGUF twins and the directories whose cases they share; and the files of weight types.</summary>
    public static IEnumerable<(string File, string Model)> Twins() => Files("twins", "model");

    public static IEnumerable<string> TypeFiles() => Files("types", "file").Select(pair => pair.File);

    private static List<(string File, string Other)> Files(string list, string other)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(TestPaths.GivenGguf("cases.json")));
        return [.. document.RootElement.GetProperty(list).EnumerateArray().Select(item => (item.GetProperty("file").GetString()!, item.GetProperty(other).GetString()!))];
    }

    private static GoldenCase Read(string name, JsonElement item, GoldenBounds bounds, string folder) => new()
    {
        Name = name,
        Tokens = Ints(item.GetProperty("tokens")),
        Rows = Ints(item.GetProperty("rows")),
        Logits = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Path.Combine(folder, item.GetProperty("logits").GetString()!))).ToArray(),
        Std = item.GetProperty("std").GetDouble(),
        Greedy = Ints(item.GetProperty("greedy")),
        Gaps = Doubles(item.GetProperty("gaps")),
        RouterMargins = item.TryGetProperty("router_margins", out var margins) ? Doubles(margins) : null,
        Bounds = bounds,
    };

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];

    private static double[] Doubles(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetDouble())];
}

/// <summary>A model's limits for each class.</summary>
internal sealed class GoldenBounds
{
    private readonly Dictionary<string, double> _limits;
    private readonly Dictionary<string, double> _routerChanges = [];

    public GoldenBounds(JsonElement model)
    {
        _limits = model.GetProperty("bounds").EnumerateObject().ToDictionary(item => item.Name, item => item.Value.GetDouble());
        if (!model.TryGetProperty("router", out var router)) return;
        foreach (var item in router.GetProperty("flips").EnumerateObject()) _routerChanges[item.Name] = item.Value.GetDouble();
    }

    /// <summary>Largest rms(ours − expected) / std(expected) of a case.</summary>
    public double Limit(ExactnessClass exactness) => _limits[Key(exactness)];

    /// <summary>How far the class's rounding moves a router logit.</summary>
    public double RouterChange(ExactnessClass exactness) =>
        _routerChanges[(exactness == ExactnessClass.Reference ? "float32" : Key(exactness)) + " max router logit change"];

    internal static string Key(ExactnessClass exactness) => exactness switch
    {
        ExactnessClass.Reference => "reference",
        ExactnessClass.Float16 => "float16",
        ExactnessClass.BFloat16 => "bfloat16",
        _ => "int8",
    };
}
