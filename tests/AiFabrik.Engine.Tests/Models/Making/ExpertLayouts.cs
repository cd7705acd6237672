namespace AiFabrik.Engine.Tests.Models.Making;

/// <summary>Experts written otherwise than in the golden files.</summary>
internal static class ExpertLayouts
{
    private static readonly string[] Matrices = ["ffn_gate", "ffn_up", "ffn_down"];

    /// <summary>A stacked tensor of a GGUF file as one tensor for each expert; another tensor as it is.</summary>
    public static IEnumerable<GgufRaw> Split(GgufRaw t)
    {
        var matrix = Array.Find(Matrices, m => t.Name.EndsWith($"{m}_exps.weight", StringComparison.Ordinal));
        if (matrix is null) return [t];
        var bytes = t.Data.Length / t.Dims[2];
        return Enumerable.Range(0, t.Dims[2]).Select(e => t with
        {
            Name = t.Name.Replace($"{matrix}_exps.weight", $"{matrix}.{e}.weight", StringComparison.Ordinal), Dims = t.Dims[..2], Data = t.Data[(e * bytes)..((e + 1) * bytes)],
        });
    }

    /// <summary>Number of the expert in a tensor's name, −1 where there is none.</summary>
    public static int ExpertOf(string name) => name.Split('.') is [_, _, _, var number, "weight"] && int.TryParse(number, out var e) ? e : -1;

    /// <summary>Brings the published tensors of a mixture into the layout that transformers 5 holds.</summary>
    /// <param name="experts">What the experts are called within a layer.</param>
    /// <param name="names">What gate, up and down are called.</param>
    public static void Stack(Dictionary<string, RawTensor> tensors, string experts, string[] names)
    {
        const string Router = ".gate.weight";
        foreach (var router in tensors.Keys.Where(n => n.EndsWith(Router, StringComparison.Ordinal)).ToArray()) Stack(tensors, router[..^Router.Length], experts, names);
    }

    private static void Stack(Dictionary<string, RawTensor> tensors, string block, string experts, string[] names)
    {
        var layer = block[..(block.LastIndexOf('.') + 1)];
        byte[] gateUp = [], down = [];
        int[] shape = [];
        var e = 0;
        for (; tensors.Remove($"{layer}{experts}.{e}.{names[0]}.weight", out var gate); e++)
        {
            _ = tensors.Remove($"{layer}{experts}.{e}.{names[1]}.weight", out var up) & tensors.Remove($"{layer}{experts}.{e}.{names[2]}.weight", out var d);
            gateUp = [.. gateUp, .. gate.Data, .. up!.Data];
            down = [.. down, .. d!.Data];
            shape = gate.Shape;
        }
        _ = tensors.Remove($"{block}.gate.weight", out var router);
        foreach (var tensor in (RawTensor[])
        [
            router! with { Name = $"{layer}mlp.gate.weight" },
            new($"{layer}mlp.experts.gate_up_proj", router.DType, [e, 2 * shape[0], shape[1]], gateUp),
            new($"{layer}mlp.experts.down_proj", router.DType, [e, shape[1], shape[0]], down),
        ]) tensors.Add(tensor.Name, tensor);
    }
}
