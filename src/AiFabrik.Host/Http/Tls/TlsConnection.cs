using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace AiFabrik.Host.Http.Tls;

/// <summary>
/// Connection middleware that puts a <see cref="TlsSession"/> between the transport and HTTP. SslStream would leave plaintext in
/// arrays of a shared pool; here plaintext is in OpenSSL's buffers, which it cleanses, and in blocks of the wiping pool, and nowhere else.
/// </summary>
internal sealed class TlsConnection(ConnectionContext connection, TlsContext context, MemoryPool<byte> pool, TimeSpan handshakeTimeout) : IDisposable
{
    /// <summary>Plaintext waiting for HTTP, or ciphertext for the socket, above which the other side waits.</summary>
    private const int PauseBytes = 64 * 1024;

    /// <summary>One TLS record's plaintext (RFC 8446, 5.1).</summary>
    private const int RecordBytesMax = 16 * 1024;

    private readonly IDuplexPipe _transport = connection.Transport;
    private readonly TlsSession _session = new(context);
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _sending = new(1, 1);

    public async Task RunAsync(ConnectionDelegate next)
    {
        if (!await HandshakeAsync().ConfigureAwait(false)) return;
        var options = new PipeOptions(pool, PipeScheduler.ThreadPool, PipeScheduler.Inline, PauseBytes, PauseBytes / 2, useSynchronizationContext: false);
        var input = new Pipe(options);
        var output = new Pipe(options);
        SetFeatures();
        var receiving = ReceiveAsync(input.Writer);
        var sending = SendAsync(output.Reader);
        connection.Transport = new Duplex(input.Reader, output.Writer);
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            await input.Reader.CompleteAsync().ConfigureAwait(false);
            await output.Writer.CompleteAsync().ConfigureAwait(false);
            await sending.ConfigureAwait(false);
            _transport.Input.CancelPendingRead();
            await receiving.ConfigureAwait(false);
            connection.Transport = _transport;
        }
    }

    public void Dispose()
    {
        _session.Dispose();
        _sending.Dispose();
    }

    private async Task<bool> HandshakeAsync()
    {
        using var deadline = new CancellationTokenSource(handshakeTimeout);
        try
        {
            while (true)
            {
                TlsStep step;
                lock (_lock) step = _session.Handshake();
                await FlushAsync().ConfigureAwait(false);
                if (step == TlsStep.Done) return true;
                if (step != TlsStep.NeedsInput) return false;
                var result = await _transport.Input.ReadAsync(deadline.Token).ConfigureAwait(false);
                lock (_lock) _session.Feed(result.Buffer);
                _transport.Input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted) return false;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            return false;
        }
    }

    /// <summary>Socket → plaintext, until the client closes or somebody cancels.</summary>
    private async Task ReceiveAsync(PipeWriter plaintext)
    {
        try
        {
            while (true)
            {
                if (!await DecryptAsync(plaintext).ConfigureAwait(false)) return;
                var result = await _transport.Input.ReadAsync().ConfigureAwait(false);
                lock (_lock) _session.Feed(result.Buffer);
                _transport.Input.AdvanceTo(result.Buffer.End);
                if (!result.IsCompleted && !result.IsCanceled) continue;
                await DecryptAsync(plaintext).ConfigureAwait(false);
                return;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
        {
            // The connection is gone; the pipe's end tells HTTP.
        }
        finally
        {
            await plaintext.CompleteAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Moves all plaintext that can be had. False: nothing more will come.</summary>
    private async ValueTask<bool> DecryptAsync(PipeWriter plaintext)
    {
        while (true)
        {
            TlsStep step;
            int count;
            var memory = plaintext.GetMemory();
            lock (_lock) step = _session.Read(memory.Span, out count);
            plaintext.Advance(count);
            if (step == TlsStep.Done)
            {
                var flushed = await plaintext.FlushAsync().ConfigureAwait(false);
                if (flushed.IsCompleted) return false;
                continue;
            }
            // Reading may have made something to send: a key update, an alert.
            await FlushAsync().ConfigureAwait(false);
            return step == TlsStep.NeedsInput;
        }
    }

    /// <summary>Plaintext → socket, until HTTP has nothing more to say; then close_notify.</summary>
    private async Task SendAsync(PipeReader plaintext)
    {
        try
        {
            while (true)
            {
                var result = await plaintext.ReadAsync().ConfigureAwait(false);
                var buffer = result.Buffer;
                while (!buffer.IsEmpty)
                {
                    var piece = buffer.First.Length > RecordBytesMax ? buffer.First[..RecordBytesMax] : buffer.First;
                    lock (_lock)
                        if (!_session.Write(piece.Span)) return;
                    buffer = buffer.Slice(piece.Length);
                }
                plaintext.AdvanceTo(result.Buffer.End);
                await FlushAsync().ConfigureAwait(false);
                if (!result.IsCompleted) continue;
                lock (_lock) _session.CloseNotify();
                await FlushAsync().ConfigureAwait(false);
                return;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
        {
            // The socket is gone: HTTP learns it from the flush that reports completion.
        }
        finally
        {
            await plaintext.CompleteAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Sends the ciphertext that waits. Both directions may have made some, so one at a time.</summary>
    private async ValueTask FlushAsync()
    {
        await _sending.WaitAsync().ConfigureAwait(false);
        try
        {
            var any = false;
            while (true)
            {
                var memory = _transport.Output.GetMemory();
                int count;
                lock (_lock) count = _session.Drain(memory.Span);
                if (count == 0) break;
                _transport.Output.Advance(count);
                any = true;
            }
            if (any) await _transport.Output.FlushAsync().ConfigureAwait(false);
        }
        finally
        {
            _sending.Release();
        }
    }

    private void SetFeatures()
    {
        var feature = new TlsFeature(_session.Protocol);
        connection.Features.Set<ITlsApplicationProtocolFeature>(feature);
        connection.Features.Set<ITlsConnectionFeature>(feature);
        connection.Features.Set<ITlsHandshakeFeature>(feature);
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input { get; } = input;
        public PipeWriter Output { get; } = output;
    }

    /// <summary>What HTTP asks about the connection: the protocol that ALPN chose, and that it is encrypted.</summary>
    private sealed class TlsFeature(byte[] protocol) : ITlsApplicationProtocolFeature, ITlsConnectionFeature, ITlsHandshakeFeature
    {
        public ReadOnlyMemory<byte> ApplicationProtocol { get; } = protocol;
        public X509Certificate2? ClientCertificate { get; set; }
        public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult<X509Certificate2?>(null);
        public SslProtocols Protocol => SslProtocols.Tls12 | SslProtocols.Tls13;
        public TlsCipherSuite? NegotiatedCipherSuite => null;
#pragma warning disable SYSLIB0058 // The interface still has these three; nothing here reads them.
        public CipherAlgorithmType CipherAlgorithm => CipherAlgorithmType.None;
        public int CipherStrength => 0;
        public HashAlgorithmType HashAlgorithm => HashAlgorithmType.None;
        public int HashStrength => 0;
        public ExchangeAlgorithmType KeyExchangeAlgorithm => ExchangeAlgorithmType.None;
        public int KeyExchangeStrength => 0;
#pragma warning restore SYSLIB0058
    }
}
