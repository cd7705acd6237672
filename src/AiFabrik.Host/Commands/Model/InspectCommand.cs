using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Gguf;

namespace AiFabrik.Host.Commands.Model;

/// <summary><c>aifabrik model inspect</c>: what a model's files say about it.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        var command = new Command("inspect", "Prints a model's configuration and tensors.");
        var path = new Argument<string?>("path") { Description = "A GGUF file or a directory. Default: the model that comes with the product.", Arity = ArgumentArity.ZeroOrOne };
        var model = new Option<string?>("--model", "-m") { Description = "The same as the argument." };
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        command.Arguments.Add(path);
        command.Options.Add(model);
        command.Options.Add(json);
        command.SetAction(line =>
        {
            var found = Places.Model(line.GetValue(path) ?? line.GetValue(model)) ?? throw new CommandFailure("No model was given and none is in a folder 'models' here.");
            using var files = ModelFiles.Open(found);
            return line.GetValue(json) ? Json(files) : Table(files);
        });
        return command;
    }

    private static IEnumerable<(string Key, string Value)> Facts(ModelFiles files)
    {
        var c = files.Config;
        var culture = CultureInfo.InvariantCulture;
        yield return ("path", files.Path);
        yield return ("format", files.Gguf is { } gguf ? $"GGUF v{gguf.Version}" : "Hugging Face directory");
        yield return ("architecture", c.Architecture.ToString());
        yield return ("n_layers", c.NLayers.ToString(culture));
        yield return ("hidden_dim", c.HiddenDim.ToString(culture));
        yield return ("ffn_dim", c.FfnDim.ToString(culture));
        yield return ("n_heads", c.NHeads.ToString(culture));
        yield return ("n_kv_heads", c.NKvHeads.ToString(culture));
        yield return ("head_dim", c.HeadDim.ToString(culture));
        yield return ("vocab_size", c.VocabSize.ToString(culture));
        yield return ("context_len", c.ContextLen.ToString(culture));
        if (c.NExperts > 0) yield return ("experts", string.Create(culture, $"{c.NExperts}, {c.NExpertsUsed} used"));
        yield return ("eos_ids", string.Join(' ', files.EosIds));
        yield return ("tensors", string.Join(", ", Tensors(files).GroupBy(t => t.Type).Select(g => string.Create(culture, $"{g.Count()} {g.Key}"))));
        yield return ("weight_bytes", Tensors(files).Sum(t => t.Bytes).ToString(culture));
    }

    private static List<(string Name, string Type, string Shape, long Bytes)> Tensors(ModelFiles files)
    {
        var rows = new List<(string, string, string, long)>();
        foreach (var name in files.Weights.Names)
        {
            if (!files.Weights.TryGet(name, out var t)) continue;
            var shape = t.Experts > 1 ? $"{t.Experts}x{t.Rows}x{t.Cols}" : t.Rows == 1 ? $"{t.Cols}" : $"{t.Rows}x{t.Cols}";
            rows.Add((name, t.Type.ToString(), shape, t.WeightBytes));
        }
        return rows;
    }

    private static int Table(ModelFiles files)
    {
        foreach (var (key, value) in Facts(files)) Console.WriteLine($"{key,-14} {value}");
        Console.WriteLine();
        foreach (var (name, type, shape, bytes) in Tensors(files))
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-44} {type,-7} {shape,-16} {bytes,14}"));
        return 0;
    }

    private static int Json(ModelFiles files)
    {
        var facts = Facts(files).ToDictionary(f => f.Key, f => f.Value);
        Console.WriteLine(JsonSerializer.Serialize(new { facts, metadata_keys = files.Gguf?.Metadata is { } m ? MetadataKeys(m) : null, tensors = Tensors(files).Select(t => new { name = t.Name, type = t.Type, shape = t.Shape, bytes = t.Bytes }) }));
        return 0;
    }

    private static string[] MetadataKeys(GgufMetadata metadata) => [.. metadata.Keys];
}
