namespace AiFabrik.Engine.Text.Templates;

/// <summary>The fields of a chat request that a template sees.</summary>
internal struct ChatRequest
{
    public Value Messages;
    public Value Tools;
    public Value Documents;
    public Value AddGenerationPrompt;
    public bool ContinueFinalMessage;
    public Value Variables;

    /// <summary>Reads the body; the field that is wrong, or none. Other keys are left alone.</summary>
    public static TemplateField Read(Interpreter vm, ReadOnlySpan<byte> json, out ChatRequest request)
    {
        request = default;
        if (!JsonReader.TryRead(vm, json, out Value body) || body.Kind != Kind.Dict) return TemplateField.Body;
        request.Messages = Dicts.Get(vm, body, "messages"u8);
        if (request.Messages.Kind != Kind.List) return TemplateField.Messages;
        for (int i = 0; i < request.Messages.Length; i++)
        {
            if (vm.Cells[request.Messages.Address + i].Kind != Kind.Dict) return TemplateField.Messages;
        }

        request.Tools = OrNone(Dicts.Get(vm, body, "tools"u8));
        if (request.Tools.Kind is not (Kind.List or Kind.None)) return TemplateField.Tools;
        request.Documents = OrNone(Dicts.Get(vm, body, "documents"u8));
        if (request.Documents.Kind is not (Kind.List or Kind.None)) return TemplateField.Documents;
        request.AddGenerationPrompt = OrNone(Dicts.Get(vm, body, "add_generation_prompt"u8));
        if (request.AddGenerationPrompt.IsNone) request.AddGenerationPrompt = Value.True;
        if (request.AddGenerationPrompt.Kind != Kind.Bool) return TemplateField.AddGenerationPrompt;
        Value continued = OrNone(Dicts.Get(vm, body, "continue_final_message"u8));
        if (continued.Kind is not (Kind.Bool or Kind.None)) return TemplateField.ContinueFinalMessage;
        request.ContinueFinalMessage = Truth.Of(vm, continued);
        if (request.ContinueFinalMessage && Truth.Of(vm, request.AddGenerationPrompt)) return TemplateField.ContinueFinalMessage;
        request.Variables = OrNone(Dicts.Get(vm, body, "chat_template_kwargs"u8));
        return request.Variables.Kind is Kind.Dict or Kind.None ? TemplateField.None : TemplateField.ChatTemplateKwargs;
    }

    private static Value OrNone(in Value value) => value.IsMissing ? Value.None : value;
}
