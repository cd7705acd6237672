using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using AiFabrik.Engine.Devices;
using AiFabrik.Engine.Scheduling;
using AiFabrik.Host.Http;
using AiFabrik.Host.Http.Tls;

namespace AiFabrik.Host.Commands;

/// <summary><c>aifabrik doctor</c>: what this machine offers, and whether everything that the product needs is in order.</summary>
internal static class DoctorCommand
{
    private enum Verdict
    {
        Ok,
        Note,
        Problem,
    }

    private sealed record Row(string Check, Verdict Verdict, string Detail);

    public static Command Create()
    {
        var command = new Command("doctor", "Checks devices, threads, memory, TLS and the model, and prints the limits.");
        var model = new ModelArguments();
        model.AddTo(command);
        var json = new Option<bool>("--json") { Description = "A JSON array of the rows." };
        command.Options.Add(json);
        command.SetAction(line =>
        {
            var rows = new List<Row>();
            Machine(rows);
            Devices(rows, line.GetValue(model.Threads));
            Memory(rows);
            Tls(rows, Places.Data(line.GetValue(model.Data)));
            Model(rows, line.GetValue(model.Model), line.GetValue(model.Data));
            Limits(rows);
            Print(rows, line.GetValue(json));
            return rows.Any(r => r.Verdict == Verdict.Problem) ? 1 : 0;
        });
        return command;
    }

    private static void Machine(List<Row> rows)
    {
        rows.Add(new("system", Verdict.Ok, $"{System.Runtime.InteropServices.RuntimeInformation.OSDescription}, .NET {Environment.Version}"));
        rows.Add(new("processors", Verdict.Ok, $"{Environment.ProcessorCount} usable"));
    }

    private static void Devices(List<Row> rows, int threads)
    {
        foreach (var device in DeviceSelection.List(threads))
            rows.Add(new($"device {device.Name}", device.Usable ? Verdict.Ok : Verdict.Note, device.Detail));
    }

    private static void Memory(List<Row> rows)
    {
        var total = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        rows.Add(new("memory", total > 1L << 30 ? Verdict.Ok : Verdict.Note, string.Create(CultureInfo.InvariantCulture, $"{total / (double)(1L << 30):0.0} GiB available")));
        var locks = ProcValue("/proc/self/limits", "Max locked memory");
        rows.Add(new("memory locks", Verdict.Ok, locks is null ? "not known on this system" : $"limit {locks}"));
        var swaps = File.Exists("/proc/swaps") ? File.ReadLines("/proc/swaps").Skip(1).Count() : 0;
        rows.Add(new("swap", swaps == 0 ? Verdict.Ok : Verdict.Note, swaps == 0 ? "none" : $"{swaps} areas: content is locked in memory, but switch swap off to be sure"));
        var core = ProcValue("/proc/self/limits", "Max core file size");
        rows.Add(new("core dumps", core is null || core.StartsWith('0') ? Verdict.Ok : Verdict.Note, core is null ? "not known on this system" : $"limit {core}; content memory is excluded from dumps"));
    }

    private static string? ProcValue(string file, string key)
    {
        if (!File.Exists(file)) return null;
        var row = File.ReadLines(file).FirstOrDefault(l => l.StartsWith(key, StringComparison.Ordinal));
        return row is null ? null : string.Join(' ', row[key.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(2));
    }

    private static void Tls(List<Row> rows, string data)
    {
        try
        {
            var (certificate, key, _) = DevelopmentCertificate.Ensure(data);
            using var context = TlsContext.Load(certificate, key);
            rows.Add(new("tls", Verdict.Ok, $"OpenSSL 3; development certificate {certificate}"));
        }
        catch (Exception e) when (e is DllNotFoundException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            rows.Add(new("tls", Verdict.Problem, e is DllNotFoundException ? "OpenSSL 3 (libssl.so.3) is missing: install it, or serve with --https off" : e.Message));
        }
    }

    private static void Model(List<Row> rows, string? path, string? data)
    {
        try
        {
            using var session = ModelSession.Open(ModelChoice.Of(path, "auto", 0, null, Places.Data(data)));
            rows.Add(new("model", Verdict.Ok, $"{session.Model.Id}: {session.Model.Config.Architecture}, {session.Model.Config.NLayers} layers, context {session.Model.Program.ContextLen}"));
        }
        catch (Exception e) when (e is CommandFailure or Engine.Models.ModelFormatException)
        {
            rows.Add(new("model", Verdict.Problem, e.Message));
        }
    }

    private static void Limits(List<Row> rows)
    {
        foreach (var record in (object[])[new HttpLimits(), new EngineOptions()])
            foreach (var property in record.GetType().GetProperties().Where(p => p.PropertyType == typeof(int) && p.SetMethod is not null))
                rows.Add(new($"limit {property.Name}", Verdict.Ok, string.Create(CultureInfo.InvariantCulture, $"{property.GetValue(record)}")));
    }

    private static void Print(List<Row> rows, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(rows.Select(r => new { check = r.Check, verdict = r.Verdict.ToString().ToLowerInvariant(), detail = r.Detail })));
            return;
        }
        var width = rows.Max(r => r.Check.Length);
        foreach (var row in rows)
            Console.WriteLine($"{row.Check.PadRight(width)}  {row.Verdict.ToString().ToLowerInvariant(),-8} {row.Detail}");
    }
}
