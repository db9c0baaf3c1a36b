# harvest.ps1 <platform> <moment>: the PowerShell twin of `harvest`. Contract: README.md beside it.
param([string]$Platform, [string]$Moment)
try {
    $root = if ($env:NIGHTSCHOOL_HOME) { $env:NIGHTSCHOOL_HOME } elseif ($HOME) { Join-Path $HOME '.nightschool' }
    $stdin = [Console]::OpenStandardInput()
    if (-not $root -or $Platform -cnotmatch '\A[a-z0-9_-]+\z' -or $Moment -cnotmatch '\A[a-z0-9_-]+\z') {
        $stdin.CopyTo([IO.Stream]::Null) # the caller must not meet a broken pipe
        exit 0
    }
    $spool = Join-Path $root 'spool'
    [void][IO.Directory]::CreateDirectory($spool)
    if ([IO.Directory]::GetFiles($spool, '*.json').Length -lt 1000) {
        $file = Join-Path $spool "$Platform.$Moment.$PID-$([Guid]::NewGuid().ToString('N')).json"
        try {
            $part = [IO.File]::Open("$file.part", 'CreateNew')
            try { $stdin.CopyTo($part) } finally { $part.Dispose() }
            [IO.File]::Move("$file.part", $file)
        } catch { Remove-Item -LiteralPath "$file.part" -ErrorAction SilentlyContinue }
    } else { $stdin.CopyTo([IO.Stream]::Null) }

    if ($Moment -notin 'turn_end', 'session_end', 'tool_failure' -or $env:NIGHTSCHOOL_NO_DRAIN -eq '1') { exit 0 }
    $engine = Join-Path $root 'bin\nightschool.exe'
    if (-not (Test-Path -LiteralPath $engine -PathType Leaf)) {
        $engine = (Get-Command nightschool -CommandType Application -ErrorAction Stop | Select-Object -First 1).Source
    }
    $mark = Join-Path $spool '.draining'
    try { [void](New-Item -ItemType Directory -Path $mark -ErrorAction Stop) } catch {
        $held = Get-Item -LiteralPath $mark -Force -ErrorAction Stop
        if ($held.LastWriteTimeUtc -gt [DateTime]::UtcNow.AddMinutes(-2)) { exit 0 } # over 2 min: its drain died
        $held.LastWriteTimeUtc = [DateTime]::UtcNow
    }
    $drain = Start-Process -FilePath $engine -ArgumentList 'drain' -WindowStyle Hidden -PassThru
    $drain.PriorityClass = 'Idle'
} catch { }
exit 0
