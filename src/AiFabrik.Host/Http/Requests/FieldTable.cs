using System.Text.Json;

namespace AiFabrik.Host.Http.Requests;

/// <summary>Reads one field's value, on which the reader stands. The reader ends on the value's last token.</summary>
internal delegate ApiError FieldParser(ref Utf8JsonReader reader, RequestFields fields, string name);

/// <summary>The fields that an endpoint knows, and how each is read. Others are accepted and have no effect (docs/api.md lists them).</summary>
internal sealed class FieldTable(params FieldTable.Row[] rows)
{
    private readonly Row[] _rows = rows;

    /// <summary>A field: its name, twice, and its parser.</summary>
    internal sealed record Row(string Name, FieldParser Parse)
    {
        public byte[] Utf8Name { get; } = System.Text.Encoding.UTF8.GetBytes(Name);
    }

    /// <summary>Reads all fields of a body that <see cref="JsonCheck"/> has accepted. A duplicate of a known field is refused: two values for one field are a mistake.</summary>
    public ApiError Read(ReadOnlySpan<byte> body, RequestFields fields)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = fields.Limits.JsonDepthMax + 1 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var index = IndexOf(ref reader);
            reader.Read();
            if (index < 0)
            {
                reader.Skip();
                continue;
            }
            var row = _rows[index];
            var bit = UInt128.One << index;
            if ((fields.Seen & bit) != 0) return ApiError.Invalid(row.Name, $"Duplicate parameter: '{row.Name}' stands more than once in the request.");
            fields.Seen |= bit;
            if (reader.TokenType == JsonTokenType.Null) continue;
            var error = row.Parse(ref reader, fields, row.Name);
            if (error.IsError) return error;
        }
        return ApiError.None;
    }

    private int IndexOf(ref Utf8JsonReader reader)
    {
        for (var i = 0; i < _rows.Length; i++)
            if (reader.ValueTextEquals(_rows[i].Utf8Name)) return i;
        return -1;
    }
}
