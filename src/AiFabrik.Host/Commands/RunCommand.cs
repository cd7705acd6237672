using System.CommandLine;

namespace AiFabrik.Host.Commands;

/// <summary><c>aifabrik run</c>: one answer, or a chat, in the terminal.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var command = new Command("run", "Answers a prompt in the terminal; without a prompt, an interactive chat.");
        var model = new ModelArguments();
        model.AddTo(command);
        var prompt = new Option<string?>("--prompt", "-p") { Description = "What to say to the model; '-' reads it from standard input." };
        var maxTokens = new Option<int>("--max-tokens", "-n") { Description = "Tokens of an answer at most; 0: as many as the context has room for.", DefaultValueFactory = static _ => 0 };
        var temperature = new Option<float>("--temperature") { Description = "0: always the best token.", DefaultValueFactory = static _ => 0.8f };
        var topP = new Option<float>("--top-p") { Description = "Draws from the smallest set of best tokens with this probability.", DefaultValueFactory = static _ => 0.95f };
        var seed = new Option<long?>("--seed") { Description = "The same seed gives the same answer." };
        var system = new Option<string?>("--system") { Description = "A system message." };
        var raw = new Option<bool>("--raw") { Description = "Completes the prompt as it is, without the chat template." };
        foreach (var option in (Option[])[prompt, maxTokens, temperature, topP, seed, system, raw]) command.Options.Add(option);
        command.SetAction(async (line, cancellation) =>
        {
            using var session = ModelSession.Open(ModelChoice.Of(line, model));
            using var served = session.Serve(new() { MaxSequences = 1, MaxQueuedSequences = 1 }, 0);
            using var chat = new TerminalChat(served, new TerminalChatOptions(line.GetValue(maxTokens), line.GetValue(temperature), line.GetValue(topP), line.GetValue(seed), line.GetValue(system), line.GetValue(raw)));
            return await chat.RunAsync(line.GetValue(prompt), cancellation).ConfigureAwait(false);
        });
        return command;
    }
}
