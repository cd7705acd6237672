using AiFabrik.Host.Http.Responses;

namespace AiFabrik.Host.Http.Endpoints;

/// <summary>GET /v1/models and GET /v1/models/{id}.</summary>
internal sealed class ModelsEndpoint(ServedModel model)
{
    public async Task ListAsync(HttpContext http)
    {
        var output = Begin(http);
        output.Raw("{\"object\":\"list\",\"data\":["u8);
        Model(output);
        output.Raw("]}"u8);
        await http.Response.BodyWriter.FlushAsync(CancellationToken.None).ConfigureAwait(false);
    }

    public async Task GetAsync(HttpContext http)
    {
        if (http.Request.RouteValues["id"] is not string id || id != model.Id)
        {
            await ErrorWriter.WriteAsync(http, new JsonOutput(), NotFound(model)).ConfigureAwait(false);
            return;
        }
        Model(Begin(http));
        await http.Response.BodyWriter.FlushAsync(CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>The name that was asked for is not repeated: it may be content.</summary>
    public static ApiError NotFound(ServedModel model) => new(ApiErrorKind.ModelNotFound, "model", $"The model does not exist here. This server has '{model.Id}'.");

    private static JsonOutput Begin(HttpContext http)
    {
        http.Response.ContentType = "application/json";
        var output = new JsonOutput();
        output.Attach(http.Response.BodyWriter);
        return output;
    }

    private void Model(JsonOutput output)
    {
        output.Raw("{\"id\":"u8).Text(model.IdUtf8).Raw(",\"object\":\"model\",\"created\":"u8).Number(model.Created.ToUnixTimeSeconds());
        output.Raw(",\"owned_by\":\"aifabrik\",\"max_model_len\":"u8).Number((long)model.Engine.ContextLen).Raw("}"u8);
    }
}
