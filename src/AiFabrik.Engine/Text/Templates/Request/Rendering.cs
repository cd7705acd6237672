namespace AiFabrik.Engine.Text.Templates;

/// <summary>Renders one request: reads it, and tries its readings one after another until one renders.</summary>
internal readonly struct Rendering(Interpreter vm, TemplateProgram program)
{
    private static ReadOnlySpan<byte> ContinueMark => "CONTINUE_FINAL_MESSAGE_TAG "u8;

    public TemplateStatus Render(ReadOnlySpan<byte> json, in TemplateOptions options, out TemplateField field, ref Failure failure)
    {
        vm.Begin(program, options);
        field = ChatRequest.Read(vm, json, out ChatRequest request);
        if (vm.Failed)
        {
            failure = Failure.Of(vm);
            return vm.Status;
        }

        if (field != TemplateField.None) return TemplateStatus.InvalidRequest;
        MessageRules.FindChoices(vm, request.Messages, out bool contentChoice, out bool argumentsChoice);
        bool isFirst = true;
        var textMark = vm.Text.Mark();
        var cellMark = vm.Cells.Mark();
        for (int arguments = 0; arguments <= (argumentsChoice ? 1 : 0); arguments++)
        {
            for (int content = 0; content <= (contentChoice ? 2 : 0); content++)
            {
                if (!isFirst)
                {
                    vm.Text.Release(textMark);
                    vm.Cells.Release(cellMark);
                    vm.Reset();
                }

                RenderReading(request, options, (MissingContent)content, arguments == 1, out field);
                if (!vm.Failed && field == TemplateField.None) return TemplateStatus.Ok;
                if (field != TemplateField.None) return TemplateStatus.InvalidRequest;
                if (isFirst)
                {
                    failure = Failure.Of(vm);
                    if (failure.Status == TemplateStatus.LimitExceeded) return failure.Status;
                    textMark = vm.Text.Mark();
                    cellMark = vm.Cells.Mark();
                    isFirst = false;
                }
            }
        }

        return failure.Status;
    }

    private void RenderReading(in ChatRequest request, in TemplateOptions options, MissingContent content, bool argumentsAsSent, out TemplateField field)
    {
        field = TemplateField.None;
        var rules = new MessageRules(vm, program.HandlesContentParts, content, argumentsAsSent);
        Value messages = rules.Apply(request.Messages);
        Value continued = default;
        if (request.ContinueFinalMessage && !vm.Failed && !rules.TryMark(ref messages, ContinueMark, out continued))
        {
            field = TemplateField.ContinueFinalMessage;
            return;
        }

        if (vm.Failed) return;
        Set("messages"u8, messages);
        Set("tools"u8, request.Tools);
        Set("documents"u8, request.Documents);
        Set("add_generation_prompt"u8, request.AddGenerationPrompt);
        if (options.BosText is { } bos) Set("bos_token"u8, vm.NewText(bos.Span, true));
        if (options.EosText is { } eos) Set("eos_token"u8, vm.NewText(eos.Span, true));
        for (int i = 0; i < request.Variables.Length; i++)
            Set(vm.Bytes(Dicts.Key(vm, request.Variables, i)), Dicts.ValueAt(vm, request.Variables, i));
        vm.Run();
        if (!vm.Failed && vm.Out.Length > vm.Limits.OutputBytesMax) vm.FailLimit(TemplateLimit.OutputBytes);
        if (!vm.Failed && request.ContinueFinalMessage) CutAtMark(continued);
    }

    private void Set(ReadOnlySpan<byte> name, in Value value)
    {
        for (int i = 0; i < program.Names.Length; i++)
        {
            if (program.NameBytes(i).SequenceEqual(name)) vm.SetContext(i, value);
        }
    }

    /// <summary>Cuts the rendering at the mark behind the last message's content.</summary>
    private void CutAtMark(in Value content)
    {
        ReadOnlySpan<byte> text = vm.Out.Written;
        ReadOnlySpan<byte> mark = ContinueMark;
        int at = text.LastIndexOf(mark[..^1]);
        Value trimmed = Strip.Both(vm, content);
        if (at < 0 || text.IndexOf(vm.Bytes(trimmed)) < 0)
        {
            vm.Fail(TemplateError.Value);
            return;
        }

        int end = at;
        if (!text[at..].StartsWith(mark))
        {
            while (end > 0 && UnicodeText.IsSpace(Utf8.DecodeLast(text[..end], out int size))) end -= size;
        }

        vm.Out.Truncate(end);
    }
}

/// <summary>How a reading failed; the first one's is told.</summary>
internal readonly record struct Failure(TemplateStatus Status, TemplateError Error, TemplateLimit Limit, Value Message)
{
    public static Failure Of(Interpreter vm) => new(vm.Status, vm.Error, vm.Limit, vm.Message);
}
