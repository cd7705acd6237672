using System.CommandLine;
using AiFabrik.Engine.Models;
using AiFabrik.Host.Commands;

// Allocations during requests are few; a concurrent collector's threads would compete with the model for cores.
var root = new RootCommand("AI Fabrik: inference with zero data retention.");
root.Subcommands.Add(ServeCommand.Create());
root.Subcommands.Add(RunCommand.Create());
root.Subcommands.Add(BenchCommand.Create());
root.Subcommands.Add(PerplexityCommand.Create());
root.Subcommands.Add(ModelCommand.Create());
root.Subcommands.Add(DoctorCommand.Create());
try
{
    // Signals are not the command line's business: its own handling ends the process after two seconds, running requests or not.
    // 'serve' has the host's (drain, then end); the other commands end at once.
    var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
    return await root.Parse(args).InvokeAsync(configuration);
}
catch (CommandFailure e)
{
    Console.Error.WriteLine($"aifabrik: {e.Message}");
    return e.ExitCode;
}
catch (Exception e) when (e is ModelFormatException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"aifabrik: {e.Message}");
    return 1;
}
#pragma warning disable CA1031 // The runtime would print the message, which may hold content, and dump core.
catch (Exception e)
#pragma warning restore CA1031
{
    Console.Error.WriteLine($"aifabrik: an unexpected {e.GetType().Name}. This is a defect; please report it with these lines:\n{e.StackTrace}");
    return DefectExitCode;
}

internal static partial class Program
{
    /// <summary>EX_SOFTWARE of sysexits.h.</summary>
    private const int DefectExitCode = 70;
}
