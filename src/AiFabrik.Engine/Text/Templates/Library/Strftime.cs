using System.Globalization;

namespace AiFabrik.Engine.Text.Templates;

/// <summary><c>strftime_now</c>: glibc's strftime in the C locale, on local time without a zone.</summary>
internal static class Strftime
{
    private static readonly string[] Days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    private static readonly string[] Months =
    [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ];

    public static Value Format(Interpreter vm, in Value format)
    {
        if (!format.IsStr) return vm.Fail(TemplateError.Type);
        var text = new TextBuilder(vm);
        Expand(ref text, vm.Bytes(format), format, vm.Now);
        return vm.Failed ? default : text.ToValue();
    }

    private static void Expand(ref TextBuilder text, ReadOnlySpan<byte> format, in Value source, DateTime now)
    {
        Interpreter vm = text.Vm;
        for (int at = 0; at < format.Length && vm.Step();)
        {
            if (format[at] != (byte)'%' || at + 1 == format.Length)
            {
                int size = Math.Min(Utf8.Size(format[at]), format.Length - at);
                text.Append(format.Slice(at, size), source.IsMissing || vm.Trust(source)[at] != 0);
                at += size;
                continue;
            }

            int start = at++;
            char pad = '\0';
            bool upper = false;
            for (; at < format.Length && format[at] is (byte)'-' or (byte)'_' or (byte)'0' or (byte)'^' or (byte)'#'; at++)
            {
                if (format[at] == '^') upper = true;
                else if (format[at] != '#') pad = (char)format[at];
            }

            int width = 0;
            for (; at < format.Length && char.IsAsciiDigit((char)format[at]) && width < 1000; at++) width = (width * 10) + format[at] - '0';
            if (at < format.Length && format[at] is (byte)'E' or (byte)'O') at++;
            if (at >= format.Length || !Directive(ref text, (char)format[at], pad, width, upper, now))
            {
                int end = Math.Min(at + 1, format.Length);
                text.Append(format[start..end], source.IsMissing || vm.Trust(source)[start] != 0);
            }

            at++;
        }
    }

    private static bool Directive(ref TextBuilder text, char directive, char pad, int width, bool upper, DateTime now)
    {
        int hour12 = now.Hour % 12 == 0 ? 12 : now.Hour % 12;
        int weekday = (int)now.DayOfWeek;
        switch (directive)
        {
            case 'Y': Number(ref text, now.Year, Math.Max(1, width), '0', pad); break;
            case 'C': Number(ref text, now.Year / 100, Math.Max(2, width), '0', pad); break;
            case 'y': Number(ref text, now.Year % 100, Math.Max(2, width), '0', pad); break;
            case 'G': Number(ref text, ISOWeek.GetYear(now), Math.Max(1, width), '0', pad); break;
            case 'g': Number(ref text, ISOWeek.GetYear(now) % 100, Math.Max(2, width), '0', pad); break;
            case 'm': Number(ref text, now.Month, Math.Max(2, width), '0', pad); break;
            case 'd': Number(ref text, now.Day, Math.Max(2, width), '0', pad); break;
            case 'e': Number(ref text, now.Day, Math.Max(2, width), '_', pad); break;
            case 'H': Number(ref text, now.Hour, Math.Max(2, width), '0', pad); break;
            case 'k': Number(ref text, now.Hour, Math.Max(2, width), '_', pad); break;
            case 'I': Number(ref text, hour12, Math.Max(2, width), '0', pad); break;
            case 'l': Number(ref text, hour12, Math.Max(2, width), '_', pad); break;
            case 'M': Number(ref text, now.Minute, Math.Max(2, width), '0', pad); break;
            case 'S': Number(ref text, now.Second, Math.Max(2, width), '0', pad); break;
            case 'f': Number(ref text, (now.Ticks % TimeSpan.TicksPerSecond) / 10, 6, '0', '0'); break;
            case 'j': Number(ref text, now.DayOfYear, Math.Max(3, width), '0', pad); break;
            case 'U': Number(ref text, (now.DayOfYear + 6 - weekday) / 7, Math.Max(2, width), '0', pad); break;
            case 'W': Number(ref text, (now.DayOfYear + 6 - ((weekday + 6) % 7)) / 7, Math.Max(2, width), '0', pad); break;
            case 'V': Number(ref text, ISOWeek.GetWeekOfYear(now), Math.Max(2, width), '0', pad); break;
            case 'w': Number(ref text, weekday, Math.Max(1, width), '0', pad); break;
            case 'u': Number(ref text, weekday == 0 ? 7 : weekday, Math.Max(1, width), '0', pad); break;
            case 's': Number(ref text, (now.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerSecond, Math.Max(1, width), '0', pad); break;
            case 'A': Name(ref text, Days[weekday], 99, upper); break;
            case 'a': Name(ref text, Days[weekday], 3, upper); break;
            case 'B': Name(ref text, Months[now.Month - 1], 99, upper); break;
            case 'b' or 'h': Name(ref text, Months[now.Month - 1], 3, upper); break;
            case 'p': text.Append(now.Hour < 12 ? "AM"u8 : "PM"u8, true); break;
            case 'P': text.Append(now.Hour < 12 ? "am"u8 : "pm"u8, true); break;
            case 'n': text.Append((byte)'\n', true); break;
            case 't': text.Append((byte)'\t', true); break;
            case '%': text.Append((byte)'%', true); break;
            case 'Z' or 'z': break;
            default: return Composed(ref text, directive, now);
        }

        return true;
    }

    private static bool Composed(ref TextBuilder text, char directive, DateTime now)
    {
        ReadOnlySpan<byte> format = directive switch
        {
            'c' => "%a %b %e %H:%M:%S %Y"u8,
            'x' or 'D' => "%m/%d/%y"u8,
            'X' or 'T' => "%H:%M:%S"u8,
            'F' => "%Y-%m-%d"u8,
            'R' => "%H:%M"u8,
            'r' => "%I:%M:%S %p"u8,
            '+' => "%a %b %e %H:%M:%S %Y"u8,
            _ => default,
        };
        if (format.IsEmpty) return false;
        Expand(ref text, format, default, now);
        return true;
    }

    private static void Number(ref TextBuilder text, long value, int width, char usualPad, char pad)
    {
        if (pad == '\0') pad = usualPad;
        Span<byte> digits = stackalloc byte[24];
        System.Buffers.Text.Utf8Formatter.TryFormat(value, digits, out int length);
        if (pad != '-') text.Repeat(pad == '_' ? (byte)' ' : (byte)'0', width - length, true);
        text.Append(digits[..length], true);
    }

    private static void Name(ref TextBuilder text, string name, int most, bool upper)
    {
        for (int i = 0; i < Math.Min(most, name.Length); i++)
            text.Append((byte)(upper ? char.ToUpperInvariant(name[i]) : name[i]), true);
    }
}
