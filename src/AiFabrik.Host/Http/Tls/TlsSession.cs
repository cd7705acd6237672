using System.Buffers;
using System.Runtime.InteropServices;

namespace AiFabrik.Host.Http.Tls;

/// <summary>What a step of a session needs next.</summary>
internal enum TlsStep
{
    Done,
    NeedsInput,
    Closed,
    Failed,
}

/// <summary>
/// One TLS connection's state over two memory BIOs: ciphertext goes in and comes out as bytes, and the transport is somebody else's business.
/// Not thread-safe: <see cref="TlsConnection"/> takes a lock around each call.
/// </summary>
internal sealed unsafe class TlsSession : SafeHandle
{
    private nint _input;
    private nint _output;

    public TlsSession(TlsContext context) : base(0, ownsHandle: true)
    {
        SetHandle(context.NewSession());
        if (IsInvalid) throw new InvalidOperationException("OpenSSL could not make a TLS session.");
        _input = OpenSsl.BIO_new(OpenSsl.BIO_s_mem());
        _output = OpenSsl.BIO_new(OpenSsl.BIO_s_mem());
        OpenSsl.SSL_set_bio(handle, _input, _output);
        OpenSsl.SSL_set_accept_state(handle);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Bytes of ciphertext that wait to be sent.</summary>
    public int PendingOutput => (int)OpenSsl.BIO_ctrl(_output, OpenSsl.CtrlPending, 0, 0);

    /// <summary>Gives ciphertext from the client to the session.</summary>
    public void Feed(ReadOnlySequence<byte> ciphertext)
    {
        foreach (var segment in ciphertext)
            fixed (byte* p = segment.Span)
                if (segment.Length > 0) _ = OpenSsl.BIO_write(_input, p, segment.Length);
    }

    public TlsStep Handshake()
    {
        OpenSsl.ERR_clear_error();
        var result = OpenSsl.SSL_do_handshake(handle);
        return result == 1 ? TlsStep.Done : StepOf(result);
    }

    /// <summary>Decrypts into <paramref name="target"/>.</summary>
    public TlsStep Read(Span<byte> target, out int count)
    {
        OpenSsl.ERR_clear_error();
        fixed (byte* p = target) count = OpenSsl.SSL_read(handle, p, target.Length);
        if (count > 0) return TlsStep.Done;
        var step = StepOf(count);
        count = 0;
        return step;
    }

    /// <summary>Encrypts all of <paramref name="plaintext"/>; the ciphertext waits in the output.</summary>
    public bool Write(ReadOnlySpan<byte> plaintext)
    {
        if (plaintext.IsEmpty) return true;
        OpenSsl.ERR_clear_error();
        fixed (byte* p = plaintext) return OpenSsl.SSL_write(handle, p, plaintext.Length) == plaintext.Length;
    }

    /// <summary>Takes ciphertext to be sent.</summary>
    public int Drain(Span<byte> target)
    {
        fixed (byte* p = target) return Math.Max(0, OpenSsl.BIO_read(_output, p, target.Length));
    }

    /// <summary>Queues close_notify (RFC 8446, 6.1), so that the client can tell the end from a cut.</summary>
    public void CloseNotify()
    {
        OpenSsl.ERR_clear_error();
        _ = OpenSsl.SSL_shutdown(handle);
    }

    /// <summary>The protocol that ALPN chose; empty if the client did not ask.</summary>
    public byte[] Protocol
    {
        get
        {
            OpenSsl.SSL_get0_alpn_selected(handle, out var name, out var length);
            return new ReadOnlySpan<byte>(name, (int)length).ToArray();
        }
    }

    // SSL_free frees the BIOs too.
    protected override bool ReleaseHandle()
    {
        OpenSsl.SSL_free(handle);
        _input = _output = 0;
        return true;
    }

    private TlsStep StepOf(int result) => OpenSsl.SSL_get_error(handle, result) switch
    {
        OpenSsl.ErrorWantRead => TlsStep.NeedsInput,
        OpenSsl.ErrorZeroReturn => TlsStep.Closed,
        _ => TlsStep.Failed,
    };
}
