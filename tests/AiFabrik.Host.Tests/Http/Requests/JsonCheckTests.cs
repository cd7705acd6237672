using System.Text;
using System.Text.Json;
using AiFabrik.Host.Http.Requests;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Xunit;

namespace AiFabrik.Host.Tests.Http.Requests;

/// <summary>The check accepts exactly what System.Text.Json accepts, apart from lone surrogates, which it names.</summary>
public sealed class JsonCheckTests
{
    private const int Depth = 16;

    private static JsonFault Check(ReadOnlySpan<byte> json) => new JsonCheck(json, Depth).Run();

    private static JsonFault Check(string json) => Check(Encoding.UTF8.GetBytes(json));

    [Theory]
    [InlineData("{}")]
    [InlineData(" { \"a\" : [ 1 , -0.5e+10 , true , false , null , \"x\\n\\u00e9\\ud83d\\ude00\" ] } ")]
    [InlineData("{\"a\":{\"b\":{\"c\":[[[[]]]]}}}")]
    public void Accepts(string json) => Assert.Equal(JsonFault.None, Check(json));

    [Theory]
    [InlineData("", (int)JsonFault.Truncated)]
    [InlineData("{", (int)JsonFault.Truncated)]
    [InlineData("{\"a\":\"b", (int)JsonFault.Truncated)]
    [InlineData("{\"a\":tru", (int)JsonFault.Truncated)]
    [InlineData("[1]", (int)JsonFault.NotAnObject)]
    [InlineData("{\"a\":1}x", (int)JsonFault.TrailingData)]
    [InlineData("{\"a\":1,}", (int)JsonFault.Malformed)]
    [InlineData("{a:1}", (int)JsonFault.Malformed)]
    [InlineData("{\"a\":01}", (int)JsonFault.Malformed)]
    [InlineData("{\"a\":NaN}", (int)JsonFault.Malformed)]
    [InlineData("{\"a\":Infinity}", (int)JsonFault.Malformed)]
    [InlineData("{\"a\":\"\t\"}", (int)JsonFault.Malformed)]
    [InlineData("{\"a\":\"\\x\"}", (int)JsonFault.Malformed)]
    [InlineData("{\"a\":\"\\ud83d\"}", (int)JsonFault.LoneSurrogate)]
    [InlineData("{\"a\":\"\\ud83d\\u0041\"}", (int)JsonFault.LoneSurrogate)]
    [InlineData("{\"a\":\"\\ude00\"}", (int)JsonFault.LoneSurrogate)]
    [InlineData("{\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", (int)JsonFault.TooDeep)]
    public void Refuses(string json, int fault) => Assert.Equal((JsonFault)fault, Check(json));

    [Theory]
    [InlineData(new byte[] { 0xFF })]
    [InlineData(new byte[] { 0xC0, 0x80 })]
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 })]
    [InlineData(new byte[] { 0xE2, 0x82 })]
    public void Refuses_invalid_utf8(byte[] bytes) =>
        Assert.Equal(JsonFault.InvalidUtf8, Check([.. "{\"a\":\""u8, .. bytes, .. "\"}"u8]));

    /// <summary>Random edits of a valid text: the same verdict as System.Text.Json's strict reader.</summary>
    [Property(MaxTest = 3000)]
    public Property Agrees_with_the_framework(byte[] noise, int at, bool insert)
    {
        var seed = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"h\\u00e9\\n\"}],\"n\":1,\"t\":-1.5e2,\"x\":null,\"y\":[true,false,{}]}"u8.ToArray().ToList();
        var position = (int)((uint)at % (uint)seed.Count);
        var edit = noise.Take(3).ToArray();
        if (!insert) seed.RemoveRange(position, Math.Min(edit.Length, seed.Count - position));
        seed.InsertRange(position, edit);
        var json = seed.ToArray();
        var fault = Check(json);
        if (fault == JsonFault.LoneSurrogate) return true.ToProperty();
        return ((fault == JsonFault.None) == FrameworkAccepts(json)).Label($"{fault}: {Convert.ToHexString(json)}");
    }

    private static bool FrameworkAccepts(byte[] json)
    {
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Depth });
            var first = true;
            while (reader.Read())
            {
                if (first && reader.TokenType != JsonTokenType.StartObject) return false;
                first = false;
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName) reader.GetString();
            }
            return !first;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    [Property(MaxTest = 1000)]
    public bool Unescapes_as_the_framework_does(NonNull<string> text)
    {
        var valid = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.Get));
        var raw = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(valid))[1..^1];
        var target = new byte[raw.Length];
        var length = JsonStrings.Unescape(raw, target);
        return Encoding.UTF8.GetString(target, 0, length) == valid;
    }
}
