using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models.HuggingFace;

/// <summary>
/// Rotary settings of config.json, in the old way (<c>rope_theta</c>, <c>rope_scaling</c> with <c>type</c> or <c>rope_type</c>) and the new one
/// (<c>rope_parameters</c>, by layer type where layer types differ).
/// </summary>
internal readonly struct HfRope
{
    private const string Global = "full_attention", Local = "sliding_attention";

    /// <summary>gpt-oss's own scaling where config.json names none.</summary>
    private const double GptOssFactor = 32;
    private const int DefaultOriginalContextLen = 4096;
    private readonly HfObject _config;
    private readonly HfFamily _family;

    public HfRope(HfObject config, HfFamily family)
    {
        _config = config;
        _family = family;
    }

    private bool IsPhi3 => _family.Architecture == Architecture.Phi3;

    private int Context => _config.Int("max_position_embeddings", _family.Context);

    /// <summary>The settings of a layer type in the new way; null in the old one.</summary>
    private HfObject? Parameters(string layerType) => _config.Object("rope_parameters") is not { } all ? null : all.Object(layerType) ?? all;

    /// <summary>Where both ways are used at once, the old one's scaling wins, as in transformers.</summary>
    private HfObject? Scaling => _config.Object("rope_scaling") is { IsEmpty: false } old ? old : Parameters(Global) is { IsEmpty: false } parameters ? parameters : null;

    /// <summary>Values of a head that are rotated.</summary>
    public int RotaryDim(int headDim)
    {
        var share = Parameters(Global)?.OptionalDouble("partial_rotary_factor") ?? _config.OptionalDouble("partial_rotary_factor") ?? 1;
        if (share is <= 0 or > 1) throw _config.Wrong("partial_rotary_factor", "is not between 0 and 1");
        if (share < 1 && !IsPhi3) throw _config.Wrong("partial_rotary_factor", "is not supported for this architecture");
        return (int)(headDim * share);
    }

    /// <summary>Frequencies of global layers.</summary>
    public RopeTable Table(int rotaryDim) => Table(rotaryDim, Scaling, _config.Object("rope_scaling")?.OptionalDouble("rope_theta") ?? Theta(Parameters(Global), _family.Theta));

    /// <summary>Frequencies of Gemma 3's windowed layers, where no scaling acts unless it is written for them.</summary>
    public RopeTable LocalTable(int rotaryDim)
    {
        var local = _config.Object("rope_parameters")?.Object(Local);
        return Table(rotaryDim, local, local?.OptionalDouble("rope_theta") ?? _config.Double("rope_local_base_freq", 10_000));
    }

    /// <summary>Tokens that the model serves: YaRN extends what max_position_embeddings says.</summary>
    public int ContextLen()
    {
        if (Scaling is not { } s || Type(s) != "yarn" || s.OptionalDouble("factor") is not { } factor) return Context;
        var extended = factor * Original(s);
        return extended > Context && extended <= ModelConfigLimits.ContextLenMax ? (int)extended : Context;
    }

    private double Theta(HfObject? parameters, double otherwise) => parameters?.OptionalDouble("rope_theta") ?? _config.Double("rope_theta", otherwise);

    /// <summary>Phi-3 called its scaling su and yarn before it was called longrope.</summary>
    private string Type(HfObject scaling)
    {
        var type = scaling.Text("rope_type") ?? scaling.Text("type") ?? "default";
        return type == "su" || (IsPhi3 && type == "yarn") ? "longrope" : type;
    }

    private int Original(HfObject scaling)
    {
        const string Name = "original_max_position_embeddings";
        // Phi-3's configuration class has the key at the top level, with a default: there it always wins.
        if (IsPhi3) return _config.Int(Name, DefaultOriginalContextLen);
        return scaling.Int(Name, _config.Int(Name, Context));
    }

    private RopeTable Table(int rotaryDim, HfObject? scaling, double theta)
    {
        if (scaling is not { } s)
        {
            return _family.Architecture == Architecture.GptOss
                ? RopeScaling.Yarn(rotaryDim, theta, GptOssFactor, DefaultOriginalContextLen, truncate: false) : RopeScaling.None(rotaryDim, theta);
        }
        var type = Type(s);
        switch (type)
        {
            case "default":
                return RopeScaling.None(rotaryDim, theta);
            case "linear":
                return RopeScaling.Linear(rotaryDim, theta, s.Double("factor"));
            case "llama3":
                return RopeScaling.Llama3(rotaryDim, theta, s.Double("factor"), s.Double("low_freq_factor"), s.Double("high_freq_factor"), Original(s));
            case "yarn":
                var original = Original(s);
                return RopeScaling.Yarn(rotaryDim, theta, s.OptionalDouble("factor") ?? (double)Context / Math.Max(original, 1), original,
                    s.Double("beta_fast", 32), s.Double("beta_slow", 1), s.OptionalDouble("attention_factor"), s.OptionalDouble("mscale"), s.OptionalDouble("mscale_all_dim"), s.Bool("truncate", true));
            case "longrope":
                return RopeScaling.LongRope(rotaryDim, theta, s.Floats("short_factor"), s.Floats("long_factor"), Original(s),
                    s.OptionalDouble("factor") ?? (double)Context / Math.Max(Original(s), 1), s.OptionalDouble("attention_factor"));
            default:
                throw _config.Wrong("the RoPE scaling", $"{ModelText.Quote(type)} is not supported (linear, llama3, yarn and longrope are)");
        }
    }
}
