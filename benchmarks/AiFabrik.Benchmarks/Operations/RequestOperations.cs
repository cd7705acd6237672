using System.Text;
using AiFabrik.Host.Http;
using AiFabrik.Host.Http.Requests;

namespace AiFabrik.Benchmarks.Operations;

/// <summary>A chat request as clients send it: a few turns, common settings.</summary>
internal static class SampleRequest
{
    public static readonly byte[] Body = Encoding.UTF8.GetBytes("""
        {"model":"SmolLM2-135M-Instruct-Q4_1","messages":[{"role":"system","content":"You are a careful assistant.\nAnswer briefly."},
        {"role":"user","content":"Explain how a bicycle stays upright, in two sentences."},{"role":"assistant","content":"It steers into the fall."},
        {"role":"user","content":"And why does speed help? \u00e9\ud83d\ude00"}],"temperature":0.7,"top_p":0.9,"max_tokens":256,"stream":true,"stop":["###","\n\n"],"seed":42}
        """);
}

/// <summary>Checks a body's JSON.</summary>
internal sealed class CheckJson : Operation
{
    private readonly HttpLimits _limits = new();

    public override string Name => "check-json";

    public override void Run() => JsonFaults.Check(SampleRequest.Body, _limits);
}

/// <summary>Checks a body and reads its fields.</summary>
internal sealed class ReadChatRequest : Operation
{
    private readonly RequestFields _fields = new(new HttpLimits());

    public override string Name => "read-chat-request";

    public override void Run()
    {
        _fields.Clear();
        if (JsonFaults.Check(SampleRequest.Body, _fields.Limits).IsError || CompletionFields.Chat.Read(SampleRequest.Body, _fields).IsError)
            throw new InvalidOperationException("the sample request is refused");
    }
}
