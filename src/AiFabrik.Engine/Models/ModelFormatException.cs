namespace AiFabrik.Engine.Models;

/// <summary>
/// A model that cannot be loaded. The message is one sentence for the person who brought the model: it names the file,
/// what is wrong with it and, where there is one, the remedy. Model files are metadata, not content.
/// </summary>
public sealed class ModelFormatException(string message) : Exception(message);
