using System.Runtime.InteropServices;

namespace AiFabrik.Host.Http.Tls;

/// <summary>The few calls of OpenSSL 3 that a TLS server over memory buffers needs (openssl.org, man3). Handles are owned by SafeHandles in <see cref="TlsContext"/> and <see cref="TlsSession"/>.</summary>
internal static unsafe partial class OpenSsl
{
    private const string Ssl = "libssl.so.3";
    private const string Crypto = "libcrypto.so.3";

    public const int FileTypePem = 1;
    public const int ErrorWantRead = 2;
    public const int ErrorZeroReturn = 6;
    public const int CtrlMode = 33;
    public const int CtrlSetMinProtocol = 123;
    public const int CtrlPending = 10;
    public const int CtrlSetReadAhead = 41;
    public const long ModeReleaseBuffers = 0x10;
    public const long ModeEnablePartialWrite = 0x1;
    public const long ModeAcceptMovingBuffer = 0x2;
    public const int Tls12 = 0x0303;
    public const ulong OptionCleansePlaintext = 1UL << 1;
    public const ulong OptionNoRenegotiation = 1UL << 30;
    public const ulong OptionNoTicket = 1UL << 14;
    public const int AlpnOk = 0;
    public const int AlpnFatal = 2;
    public const int CtrlSetSessionCacheMode = 44;

    [LibraryImport(Ssl)] public static partial nint TLS_server_method();
    [LibraryImport(Ssl)] public static partial nint SSL_CTX_new(nint method);
    [LibraryImport(Ssl)] public static partial void SSL_CTX_free(nint context);
    [LibraryImport(Ssl)] public static partial nint SSL_CTX_ctrl(nint context, int command, nint value, nint pointer);
    [LibraryImport(Ssl)] public static partial ulong SSL_CTX_set_options(nint context, ulong options);
    [LibraryImport(Ssl, StringMarshalling = StringMarshalling.Utf8)] public static partial int SSL_CTX_use_certificate_chain_file(nint context, string path);
    [LibraryImport(Ssl, StringMarshalling = StringMarshalling.Utf8)] public static partial int SSL_CTX_use_PrivateKey_file(nint context, string path, int type);
    [LibraryImport(Ssl)] public static partial int SSL_CTX_check_private_key(nint context);
    [LibraryImport(Ssl, StringMarshalling = StringMarshalling.Utf8)] public static partial int SSL_CTX_set_cipher_list(nint context, string ciphers);
    [LibraryImport(Ssl)] public static partial void SSL_CTX_set_alpn_select_cb(nint context, delegate* unmanaged<nint, byte**, byte*, byte*, uint, nint, int> callback, nint argument);
    [LibraryImport(Ssl)] public static partial nint SSL_new(nint context);
    [LibraryImport(Ssl)] public static partial void SSL_free(nint ssl);
    [LibraryImport(Ssl)] public static partial void SSL_set_accept_state(nint ssl);
    [LibraryImport(Ssl)] public static partial void SSL_set_bio(nint ssl, nint read, nint write);
    [LibraryImport(Ssl)] public static partial int SSL_do_handshake(nint ssl);
    [LibraryImport(Ssl)] public static partial int SSL_read(nint ssl, byte* buffer, int count);
    [LibraryImport(Ssl)] public static partial int SSL_write(nint ssl, byte* buffer, int count);
    [LibraryImport(Ssl)] public static partial int SSL_shutdown(nint ssl);
    [LibraryImport(Ssl)] public static partial int SSL_get_error(nint ssl, int result);
    [LibraryImport(Ssl)] public static partial void SSL_get0_alpn_selected(nint ssl, out byte* name, out uint length);
    [LibraryImport(Crypto)] public static partial void ERR_clear_error();
    [LibraryImport(Crypto)] public static partial nint BIO_s_mem();
    [LibraryImport(Crypto)] public static partial nint BIO_s_secmem();
    [LibraryImport(Crypto)] public static partial nint BIO_new(nint type);
    [LibraryImport(Crypto)] public static partial int BIO_read(nint bio, byte* buffer, int count);
    [LibraryImport(Crypto)] public static partial int BIO_write(nint bio, byte* buffer, int count);
    [LibraryImport(Crypto)] public static partial nint BIO_ctrl(nint bio, int command, nint value, nint pointer);
}
