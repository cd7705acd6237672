namespace AiFabrik.Host.Commands;

/// <summary>Ends a command with one sentence on standard error and an exit code.</summary>
internal sealed class CommandFailure(string message, int exitCode = 1) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
