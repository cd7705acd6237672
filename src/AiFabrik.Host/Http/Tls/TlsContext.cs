using System.Runtime.InteropServices;

namespace AiFabrik.Host.Http.Tls;

/// <summary>
/// A certificate and the server's TLS settings: TLS 1.2 with AEAD ciphers and forward secrecy, or TLS 1.3; ALPN h2 before http/1.1;
/// no session tickets or cache, whose secrets would outlive a connection; plaintext cleansed after it has been read.
/// </summary>
internal sealed unsafe class TlsContext : SafeHandle
{
    private const string Ciphers12 = "ECDHE+AESGCM:ECDHE+CHACHA20";

    public TlsContext() : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Loads PEM files. Throws <see cref="InvalidOperationException"/> with one sentence if they do not fit.</summary>
    public static TlsContext Load(string certificatePath, string keyPath)
    {
        var context = new TlsContext();
        context.SetHandle(OpenSsl.SSL_CTX_new(OpenSsl.TLS_server_method()));
        if (context.IsInvalid) throw new InvalidOperationException("OpenSSL could not make a TLS context.");
        var ctx = context.handle;
        OpenSsl.SSL_CTX_ctrl(ctx, OpenSsl.CtrlSetMinProtocol, OpenSsl.Tls12, 0);
        OpenSsl.SSL_CTX_ctrl(ctx, OpenSsl.CtrlSetSessionCacheMode, 0, 0);
        OpenSsl.SSL_CTX_ctrl(ctx, OpenSsl.CtrlMode, (nint)(OpenSsl.ModeReleaseBuffers | OpenSsl.ModeAcceptMovingBuffer), 0);
        OpenSsl.SSL_CTX_set_options(ctx, OpenSsl.OptionCleansePlaintext | OpenSsl.OptionNoRenegotiation | OpenSsl.OptionNoTicket);
        OpenSsl.SSL_CTX_set_cipher_list(ctx, Ciphers12);
        OpenSsl.SSL_CTX_set_alpn_select_cb(ctx, &SelectProtocol, 0);
        if (OpenSsl.SSL_CTX_use_certificate_chain_file(ctx, certificatePath) != 1)
            throw new InvalidOperationException($"{certificatePath} is not a PEM certificate chain that OpenSSL accepts.");
        if (OpenSsl.SSL_CTX_use_PrivateKey_file(ctx, keyPath, OpenSsl.FileTypePem) != 1 || OpenSsl.SSL_CTX_check_private_key(ctx) != 1)
            throw new InvalidOperationException($"{keyPath} is not the PEM private key of {certificatePath}.");
        return context;
    }

    /// <summary>A new server-side session (SSL*), which keeps the context alive by OpenSSL's own count.</summary>
    public nint NewSession()
    {
        var added = false;
        DangerousAddRef(ref added);
        try
        {
            return OpenSsl.SSL_new(handle);
        }
        finally
        {
            if (added) DangerousRelease();
        }
    }

    protected override bool ReleaseHandle()
    {
        OpenSsl.SSL_CTX_free(handle);
        return true;
    }

    /// <summary>Picks h2, else http/1.1, from the client's list (RFC 7301); a client that wants neither is refused.</summary>
    [UnmanagedCallersOnly]
    private static int SelectProtocol(nint ssl, byte** selected, byte* selectedLength, byte* offered, uint offeredLength, nint argument)
    {
        var list = new ReadOnlySpan<byte>(offered, (int)offeredLength);
        foreach (var wanted in (ReadOnlySpan<int>)[2, 8])
        {
            var name = wanted == 2 ? "h2"u8 : "http/1.1"u8;
            for (var at = 0; at < list.Length; at += 1 + list[at])
            {
                if (list[at] != wanted || at + 1 + wanted > list.Length || !list.Slice(at + 1, wanted).SequenceEqual(name)) continue;
                *selected = offered + at + 1;
                *selectedLength = (byte)wanted;
                return OpenSsl.AlpnOk;
            }
        }
        return OpenSsl.AlpnFatal;
    }
}
