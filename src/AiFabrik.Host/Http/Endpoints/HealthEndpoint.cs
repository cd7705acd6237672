using AiFabrik.Engine.Scheduling;

namespace AiFabrik.Host.Http.Endpoints;

/// <summary>GET /health/live (the process answers) and GET /health/ready (the model takes requests).</summary>
internal sealed class HealthEndpoint(ServedModel model)
{
    public static Task LiveAsync(HttpContext http) => AnswerAsync(http, 200, "{\"status\":\"live\"}"u8);

    public Task ReadyAsync(HttpContext http) => model.Engine.Statistics.State == EngineState.Running
        ? AnswerAsync(http, 200, "{\"status\":\"ready\"}"u8)
        : AnswerAsync(http, 503, "{\"status\":\"not ready\"}"u8);

    private static async Task AnswerAsync(HttpContext http, int status, byte[] body)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.BodyWriter.WriteAsync(body, CancellationToken.None).ConfigureAwait(false);
    }

    private static Task AnswerAsync(HttpContext http, int status, ReadOnlySpan<byte> body) => AnswerAsync(http, status, body.ToArray());
}
