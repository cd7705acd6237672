using System.CommandLine;
using AiFabrik.Host.Commands.Model;

namespace AiFabrik.Host.Commands;

/// <summary><c>aifabrik model …</c>: what a model is and does, apart from serving it.</summary>
internal static class ModelCommand
{
    public static Command Create()
    {
        var command = new Command("model", "Looks into models: inspect, verify, tokenize, detokenize, render, logprobs, synth.");
        command.Subcommands.Add(InspectCommand.Create());
        command.Subcommands.Add(VerifyCommand.Create());
        command.Subcommands.Add(TokenizeCommand.Create());
        command.Subcommands.Add(DetokenizeCommand.Create());
        command.Subcommands.Add(RenderCommand.Create());
        command.Subcommands.Add(LogProbsCommand.Create());
        command.Subcommands.Add(SynthCommand.Create());
        return command;
    }
}
