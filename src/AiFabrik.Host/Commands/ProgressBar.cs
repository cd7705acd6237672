using Spectre.Console;

namespace AiFabrik.Host.Commands;

/// <summary>A bar on standard error for work that may be long, where somebody watches: no bar where standard error is a file or a pipe.</summary>
internal static class ProgressBar
{
    /// <summary>Does <paramref name="work"/>, which tells the share done, 0 to 1; null where nobody watches.</summary>
    public static T Run<T>(string title, Func<IProgress<double>?, T> work)
    {
        if (Console.IsErrorRedirected) return work(null);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress().AutoClear(true).HideCompleted(true).Start(context =>
        {
            var task = context.AddTask(Markup.Escape(title), maxValue: 1);
            return work(new Share(task));
        });
    }

    /// <summary>Several kinds of work report in turn, each from 0 to 1: the bar shows the one that spoke last.</summary>
    private sealed class Share(ProgressTask task) : IProgress<double>
    {
        public void Report(double value) => task.Value = value;
    }
}
