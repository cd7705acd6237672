using System.Reflection;
using System.Runtime.InteropServices;

namespace AiFabrik.Ptx;

/// <summary>
/// What stands behind the driver's C symbols, one method for each, in the driver's own order of parameters. Each takes the lock, checks what the
/// driver checks first, and answers with a number.
/// </summary>
internal static unsafe partial class StandinCalls
{
    [ThreadStatic]
    private static nint s_current;

    public static StandinDevice Device { get; set; } = new(new StandinOptions());

    /// <summary>Names of all calls, and where they are.</summary>
    public static IEnumerable<(string Name, nint Address)> All()
    {
        foreach (MethodInfo method in typeof(StandinCalls).GetMethods(BindingFlags.NonPublic | BindingFlags.Static))
        {
            if (method.GetCustomAttribute<UnmanagedCallersOnlyAttribute>() is { EntryPoint: { } name })
            {
                yield return (name, method.MethodHandle.GetFunctionPointer());
            }
        }
    }

    /// <summary>A call that needs the driver, and no context.</summary>
    private static CuResult WithDriver(Func<CuResult> body)
    {
        lock (Device.Gate)
        {
            return Device.IsInitialized ? Guard(body) : CuResult.NotInitialized;
        }
    }

    /// <summary>A call that needs a current context without a failed kernel.</summary>
    private static CuResult WithContext(Func<StandinContext, CuResult> body)
    {
        lock (Device.Gate)
        {
            if (!Device.IsInitialized)
            {
                return CuResult.NotInitialized;
            }
            if (!Device.Handles.TryGet(s_current, out StandinContext context))
            {
                return CuResult.InvalidContext;
            }
            return context.Failure != CuResult.Success ? context.Failure : Guard(() => body(context));
        }
    }

    /// <summary>No exception may go through C.</summary>
    private static CuResult Guard(Func<CuResult> body)
    {
        try
        {
            return body();
        }
#pragma warning disable CA1031 // whatever it is, the caller gets a number and the test its text
        catch (Exception e)
#pragma warning restore CA1031
        {
            Device.Faults.Add(e.ToString());
            return CuResult.Unknown;
        }
    }

    /// <summary>Makes a handle that dies with its context.</summary>
    private static nint Own(StandinContext context, object item)
    {
        nint handle = Device.Handles.Add(item);
        context.Handles.Add(handle);
        return handle;
    }

    private static CuResult Disown(StandinContext context, nint handle)
    {
        context.Handles.Remove(handle);
        return Device.Handles.Remove(handle) ? CuResult.Success : CuResult.InvalidHandle;
    }

    /// <summary>A stream of the current context; 0 and 1 are the legacy stream.</summary>
    private static bool TryStream(StandinContext context, nint handle, out StandinStream stream)
    {
        if (handle is 0 or 1)
        {
            stream = context.Legacy;
            return true;
        }
        return Device.Handles.TryGet(handle, out stream) && context.Streams.Contains(stream);
    }

    /// <summary>Calls that a capture in the mode "global", or in "thread-local" on this thread, does not allow.</summary>
    private static bool IsUnsafeCallForbidden(StandinContext context)
    {
        StandinCapture? capture = context.Streams.Select(s => s.Capture)
            .FirstOrDefault(c => c is not null && (c.Mode == 0 || (c.Mode == 1 && c.Thread == Environment.CurrentManagedThreadId)));
        if (capture is not null)
        {
            capture.IsInvalid = true;
        }
        return capture is not null;
    }

    /// <summary>Waiting for a context of which a stream is being captured is not allowed.</summary>
    private static bool IsAnyCaptured(StandinContext context)
    {
        StandinStream? captured = context.Streams.FirstOrDefault(s => s.Capture is not null);
        if (captured is not null)
        {
            captured.Capture!.IsInvalid = true;
        }
        return captured is not null;
    }
}
