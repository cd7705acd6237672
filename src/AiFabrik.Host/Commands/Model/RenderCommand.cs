using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using AiFabrik.Engine.Text;

namespace AiFabrik.Host.Commands.Model;

/// <summary><c>aifabrik model render</c>: what a chat template makes of a chat request's body.</summary>
internal static class RenderCommand
{
    public static Command Create()
    {
        var command = new Command("render", "Prints what the chat template makes of a chat request's body.");
        var model = new Option<string?>("--model", "-m") { Description = "A GGUF file, or a directory with at least a tokenizer." };
        var request = new Option<FileInfo>("--request") { Description = "The request's body: a JSON object with 'messages'.", Required = true };
        var template = new Option<FileInfo?>("--template") { Description = "A template file instead of the model's own." };
        var bos = new Option<string?>("--bos") { Description = "bos_token. Default: the model's." };
        var eos = new Option<string?>("--eos") { Description = "eos_token. Default: the model's." };
        var now = new Option<string?>("--now") { Description = "Local time that strftime_now sees, such as 2026-11-24T12:00:00." };
        var ids = new Option<bool>("--ids") { Description = "The rendering's token ids, on one line." };
        foreach (var option in (Option[])[model, request, template, bos, eos, now, ids]) command.Options.Add(option);
        command.SetAction(line =>
        {
            var templateFile = line.GetValue(template);
            var path = line.GetValue(model);
            var text = path is not null || templateFile is null ? TextFiles.Open(path) : null;
            var job = new RenderJob(text, templateFile, line.GetValue(bos), line.GetValue(eos), Clock(line.GetValue(now)));
            return job.Run(Body(line.GetValue(request)!), line.GetValue(ids));
        });
        return command;
    }

    private static byte[] Body(FileInfo file) => file.Exists ? File.ReadAllBytes(file.FullName) : throw new CommandFailure($"There is no file {file.FullName}.");

    private static DateTime Clock(string? now)
    {
        if (now is null) return DateTime.Now;
        return DateTime.TryParse(now, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time : throw new CommandFailure("--now takes a date and time such as 2026-11-24T12:00:00.");
    }

    private sealed class RenderJob(TextFiles? model, FileInfo? templateFile, string? bos, string? eos, DateTime now)
    {
        public int Run(byte[] body, bool printIds)
        {
            var template = Template(body);
            var options = new TemplateOptions
            {
                BosText = bos is not null ? Encoding.UTF8.GetBytes(bos) : model?.BosText,
                EosText = eos is not null ? Encoding.UTF8.GetBytes(eos) : model?.EosText,
                Now = now,
            };
            using var scratch = new TemplateScratch();
            var status = template.Render(body, in options, scratch);
            using var output = Console.OpenStandardOutput();
            if (status != TemplateStatus.Ok) return Refused(status, scratch);
            if (printIds) PrintIds(template, scratch);
            else output.Write(scratch.Text);
            return 0;
        }

        private ChatTemplate Template(byte[] body)
        {
            if (templateFile is null)
            {
                return model?.Templates is { } set && set.TryGet(null, HasTools(body), out var own) ? own : throw new CommandFailure("The model has no chat template. Give one with --template FILE.");
            }
            if (!templateFile.Exists) throw new CommandFailure($"There is no file {templateFile.FullName}.");
            return ChatTemplate.TryCompile(File.ReadAllBytes(templateFile.FullName), out var template, out var error)
                ? template
                : throw new CommandFailure($"The template cannot be used: {error}");
        }

        /// <summary>As for a request: tools may have a template of their own.</summary>
        private static bool HasTools(byte[] body)
        {
            try
            {
                using var document = JsonDocument.Parse(body);
                return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("tools", out var tools) && tools.ValueKind == JsonValueKind.Array && tools.GetArrayLength() > 0;
            }
            catch (JsonException)
            {
                return false;
            }
        }

        private void PrintIds(ChatTemplate template, TemplateScratch scratch)
        {
            var tokenizer = model?.Tokenizer ?? throw new CommandFailure("--ids needs a model: its tokenizer makes them.");
            using var working = new TokenizerScratch();
            var ids = new int[scratch.Text.Length + 16];
            int count;
            while (!tokenizer.TryEncode(scratch.Text, scratch.Runs, tokenizer.ControlFor(template.Source), working, ids, out count)) ids = new int[ids.Length * 4];
            Console.WriteLine(string.Join(' ', ids.Take(count)));
        }

        private static string Reason(TemplateStatus status, TemplateScratch scratch) => status switch
        {
            TemplateStatus.LimitExceeded => $"its limit of {scratch.Limit} is reached",
            TemplateStatus.InvalidRequest => $"the request's {scratch.Field} cannot be rendered",
            _ => $"it failed: {scratch.Error}",
        };

        private static int Refused(TemplateStatus status, TemplateScratch scratch)
        {
            using var error = Console.OpenStandardError();
            error.Write(Encoding.UTF8.GetBytes($"aifabrik: the template refuses this request ({status}): "));
            error.Write(scratch.ErrorText.IsEmpty ? Encoding.UTF8.GetBytes(Reason(status, scratch)) : scratch.ErrorText);
            error.Write("\n"u8);
            return 1;
        }
    }
}
