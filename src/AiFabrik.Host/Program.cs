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
    var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false };
    return await root.Parse(args).InvokeAsync(configuration);
}
catch (CommandFailure e)
{
    Console.Error.WriteLine($"aifabrik: {e.Message}");
    return e.ExitCode;
}
catch (ModelFormatException e)
{
    Console.Error.WriteLine($"aifabrik: {e.Message}");
    return 1;
}
