namespace AiFabrik.Engine.Models.HuggingFace;

/// <summary>A Hugging Face model directory: where its files are, and what is refused by name.</summary>
public static class HfDirectory
{
    public const string ConfigName = "config.json";

    private static readonly string[] PickleEndings = [".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"];

    /// <summary>The file is a pickle by its name: code that runs when it is read, so it never is.</summary>
    public static bool IsPickle(string path) => PickleEndings.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>Path of the tokenizer's file, whether or not it exists.</summary>
    public static string TokenizerPath(string directory) => Path.Combine(directory, "tokenizer.json");

    /// <summary>Path of the file that names special tokens and the chat template, whether or not it exists.</summary>
    public static string TokenizerConfigPath(string directory) => Path.Combine(directory, "tokenizer_config.json");

    /// <summary>Path of the chat template that stands in a file of its own, whether or not it exists.</summary>
    public static string ChatTemplatePath(string directory) => Path.Combine(directory, "chat_template.jinja");

    /// <summary>The sentence that refuses a pickle.</summary>
    internal static ModelFormatException RefusePickle(string path) =>
        new($"{path} is a pickle, which runs code when it is read; give the model as safetensors or GGUF.");
}
